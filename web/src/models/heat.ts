/** How strongly a cell of the confusion matrix is tinted, 0 to 1: by the root, so that single mistakes show. */
export function heatOf(images: number, most: number): number {
  return images <= 0 ? 0 : Math.sqrt(images / Math.max(images, most));
}
