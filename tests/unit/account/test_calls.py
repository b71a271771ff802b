"""Calls as data."""

from valetkey.account import Call, CallError, everything


def test_action_is_awss_spelling():
    assert Call("iam", "get_account_authorization_details").action == "iam:GetAccountAuthorizationDetails"
    assert Call("iam", "list_open_id_connect_providers").action == "iam:ListOpenIDConnectProviders"
    assert Call("iam", "list_mfa_devices").action == "iam:ListMFADevices"


def test_everything_follows_short_and_empty_pages():
    pages = {
        None: {"Roles": [1], "IsTruncated": True, "Marker": "a"},
        "a": {"Roles": [], "IsTruncated": True, "Marker": "b"},
        "b": {"Roles": [2, 3], "IsTruncated": False},
    }
    seen = []

    def perform(call):
        seen.append(dict(call.params))
        return pages[call.params.get("Marker")]

    assert list(everything(perform, Call("iam", "list_roles", {"PathPrefix": "/x/"}), "Roles")) == [1, 2, 3]
    assert seen == [{"PathPrefix": "/x/"}, {"PathPrefix": "/x/", "Marker": "a"}, {"PathPrefix": "/x/", "Marker": "b"}]


def test_a_refused_call_says_which_call_and_ends_with_3():
    error = CallError(Call("sts", "assume_role"), "AccessDenied", "no", do="ask")
    assert error.exit_code == 3
    assert str(error) == "sts:AssumeRole failed: AccessDenied: no"
    assert error.where == "sts:AssumeRole"
