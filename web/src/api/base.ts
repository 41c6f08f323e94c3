/** Where the page came from, without a slash at the end. Behind a proxy that may be below a path. */
export const baseUrl = new URL('.', location.href).href.replace(/\/$/, '');
