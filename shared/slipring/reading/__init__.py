"""The pages of the reading room: what waits, the editor, signing, verification; and the ward's view of its patients."""
