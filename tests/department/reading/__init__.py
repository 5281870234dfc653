"""The reading room in a browser: the editor, signing, the list, verification."""
