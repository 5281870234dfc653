"""Pictures of figures, made on the server: where everything stands, to scale. Pure; `pages/plots.html` draws them."""
