// Before anything is drawn: the theme that was chosen, where the browser keeps one (it may not for files).
"use strict";
{
  const root = document.documentElement;
  root.classList.add("script");
  try {
    const chosen = localStorage.getItem("everspring-theme");
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  } catch { /* nothing is kept: the system's theme */ }
}
