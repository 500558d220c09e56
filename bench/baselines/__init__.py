"""What the feed's predictions are measured against: other models, fed with the same facts as the engine."""
