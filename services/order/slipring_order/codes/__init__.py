"""The hospital's own exam codes as a file: read, compared with what is current, sent as a draft map, approved."""
