import { chooseTheme, type ThemeChoice, useThemeChoice } from "../app/theme";

const NEXT: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };
const ICON: Record<ThemeChoice, string> = {
  system: "M3 4h10v7H3zM6 14h4M8 11v3",
  light:
    "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  dark: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
};

/** Goes round system, light, dark. */
export function ThemeSwitch() {
  const choice = useThemeChoice();
  const title = `Colours: ${choice}. Switch to ${NEXT[choice]}.`;
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={title}
      title={title}
      onClick={() => chooseTheme(NEXT[choice])}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d={ICON[choice]} fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinecap="round" />
      </svg>
    </button>
  );
}
