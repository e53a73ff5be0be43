"""cdk-nag on every stack, our own rules on every template, the waiver ledger, and what reports are made of."""
