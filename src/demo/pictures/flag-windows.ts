/**
 * Widths of windows (see `DescriptorImageEncoderOptions`) for made pictures of one flag and of several: those of the
 * default, and three more for flags of a quarter to a half of the picture's width. About 5400 windows.
 *
 * Every flag has a window that shows it well, but a small window within a large flag often looks like another flag. In
 * pictures of one flag, of which nothing else is known, the default therefore does better.
 */
export const FLAG_WINDOW_WIDTHS: readonly number[] = [0.27, 0.32, 0.38, 0.45, 0.53, 0.62, 0.72, 0.83];
