"""Keys follow from names."""

from cartridge.lightning.identities import wallet_seed


def test_a_seed_is_the_same_on_every_machine_and_day():
    """Recorded ids in tests and snapshots depend on it: this value may never change."""
    assert wallet_seed("lightning-pair", "alice").hex() == (
        "7be0ca7e40a9305ab1d841561635a40ab0a52b588a8ed42c6581ba01e13b2652"
    )


def test_other_names_give_other_seeds_even_where_their_letters_are_the_same():
    """The border between stack and node counts."""
    seeds = {wallet_seed(*names) for names in (("a", "bc"), ("ab", "c"), ("a", "b"), ("abc", ""))}

    assert len(seeds) == 4
