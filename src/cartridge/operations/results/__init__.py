"""What the verbs answer: frozen data, printed by `-o json` as it is. Knows no verb."""
