"""The form of pages that ask before something goes: its name, typed again."""

from typing import Any

from django import forms


class TypedNameForm(forms.Form):
    """``expected`` is the name, and ``what`` says what has it, such as "configuration"."""

    name = forms.CharField(widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}))

    def __init__(self, *args: Any, expected: str, what: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        asked = f"Type the name of the {what} to confirm"
        self.fields["name"].label = asked
        self.fields["name"].error_messages["required"] = f"{asked}."

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.expected:
            raise forms.ValidationError(f"“{name}” is not its name. Type “{self.expected}”, letter for letter.")
        return name
