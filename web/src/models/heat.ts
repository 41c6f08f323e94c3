/** How strongly a cell of the confusion matrix is tinted, 0 to 1; the square root makes single mistakes visible. */
export function heatOf(images: number, most: number): number {
  return images <= 0 ? 0 : Math.sqrt(images / Math.max(images, most));
}
