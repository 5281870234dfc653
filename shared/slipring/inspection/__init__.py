"""What an assessor looks at: how each clause stands, with the evidence behind it."""
