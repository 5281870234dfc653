"""The frame of every page: layout, languages, style sheet, forms and the headers that keep a page to itself."""
