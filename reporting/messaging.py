"""Telling people: a message in the product, and an e-mail through the outbox, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable

from reporting.models import Message, Outbox
from unions.gate import Role
from unions.models import Person, Union


def people_with(union: Union, *roles: Role) -> list[Person]:
    """Active people who hold one of the roles in the union itself."""
    return list(Person.objects.filter(is_active=True, posts__union=union, posts__role__in=roles).distinct())


def tell(people: Iterable[Person], text: str, link: str) -> None:
    """Write the messages and the e-mails. Call it inside the transaction of the move it tells of."""
    people = list(people)
    Message.objects.bulk_create([Message(person=person, text=text[:500], link=link) for person in people])
    Outbox.objects.bulk_create(
        [
            # One line: a reason with line breaks must not become mail headers.
            Outbox(
                to=person.email,
                subject=" ".join(text.split())[:60],
                body=f"{text}\n\n请登录送温暖报送系统查看。",
            )
            for person in people
            if person.email
        ]
    )
