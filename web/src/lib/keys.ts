/** Keys with Ctrl, Alt or Meta belong to the browser: Alt+Left goes back, Ctrl and plus, minus or 0 scale the page. */
export const hasModifier = (event: KeyboardEvent): boolean => event.ctrlKey || event.altKey || event.metaKey;
