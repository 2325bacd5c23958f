export const settle = {};
