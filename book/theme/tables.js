// On a narrow screen a wide table scrolls in its wrapper: by the keyboard too.
for (const wrapper of document.querySelectorAll(".table-wrapper")) {
  wrapper.tabIndex = 0;
}
