"""A report on the wrong patient is taken back: at once, by one person who may issue reports."""
