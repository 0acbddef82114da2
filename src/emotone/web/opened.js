// Opened from a disk, a page may not load its modules: say what does help. A classic script, which is loaded all the same.

if (location.protocol === "file:") {
  const problem = document.getElementById("problem");
  problem.hidden = false;
  problem.textContent =
    "A browser does not run this page from a file. Let a web server show its folder: " +
    "python -m http.server --directory FOLDER, then open http://localhost:8000.";
}
