export function registerTensorFlowGradients(): void {}
