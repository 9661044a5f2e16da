"""The tree of unions, the people in it, and the posts that tie one to the other."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from unions.gate import Actor, GatedManager, Role


class Union(models.Model):
    """工会组织: a node of the tree. `code` is for life; `path` is the codes from the root down.

    A path ends with a dot ("230000.230100."), so one prefix test answers "is this inside that".
    """

    class Kind(models.TextChoices):
        PROVINCE = "province", "省"
        CITY = "city", "市（地）"
        INDUSTRY = "industry", "产业"
        COUNTY = "county", "县（市、区）"
        GRASSROOTS = "grassroots", "基层"

    code = models.CharField("代码", max_length=20, unique=True)
    name = models.CharField("名称", max_length=60, unique=True)
    short_name = models.CharField("简称", max_length=30)
    kind = models.CharField("类别", max_length=12, choices=Kind.choices)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级工会"
    )
    path = models.CharField(max_length=200, unique=True, editable=False)
    position = models.PositiveIntegerField("顺序", default=0, help_text="通知印发的顺序")
    is_active = models.BooleanField("启用", default=True)

    objects: ClassVar[GatedManager[Self]] = GatedManager("path")

    class Meta:
        ordering = ("position", "code")
        verbose_name = verbose_name_plural = "工会组织"
        constraints = (
            models.UniqueConstraint(
                fields=["parent"], condition=Q(parent__isnull=True), nulls_distinct=False, name="one_root"
            ),
        )
        indexes = (
            models.Index(fields=["path"], name="union_path_prefix", opclasses=["varchar_pattern_ops"]),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        self.path = self.path_from_parent
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def path_from_parent(self) -> str:
        return f"{self.parent.path if self.parent else ''}{self.code}."

    @property
    def is_root(self) -> bool:
        return self.parent_id is None

    @property
    def ancestor_codes(self) -> list[str]:
        """Codes from the root down to this union itself."""
        return self.path.rstrip(".").split(".")

    def contains(self, other: Union) -> bool:
        return other.path.startswith(self.path)


# What may stand directly below what. Nothing stands below a grassroots union.
LEGAL_CHILDREN: dict[str, tuple[str, ...]] = {
    Union.Kind.PROVINCE: (Union.Kind.CITY, Union.Kind.INDUSTRY),
    Union.Kind.CITY: (Union.Kind.COUNTY,),
    Union.Kind.INDUSTRY: (Union.Kind.COUNTY, Union.Kind.GRASSROOTS),
    Union.Kind.COUNTY: (Union.Kind.GRASSROOTS,),
    Union.Kind.GRASSROOTS: (),
}


class People(UserManager["Person"]):
    use_in_migrations = False

    def visible_to(self, actor: Actor) -> QuerySet[Person]:
        """People with a post inside the actor's subtree; the root also sees people without any post."""
        if actor.union is None:
            return self.none()
        if actor.union.is_root:
            return self.all()
        inside = Post.objects.visible_to(actor).filter(person=OuterRef("pk"))
        return self.filter(Exists(inside))


class Person(AbstractUser):
    """Somebody who logs in. What they may do is in their posts, never in the account."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField("姓名", max_length=30)
    phone = models.CharField("电话", max_length=30, blank=True)
    must_change_password = models.BooleanField("首次登录须修改密码", default=True)

    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects: ClassVar[People] = People()

    class Meta:
        verbose_name = verbose_name_plural = "人员"

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class Post(models.Model):
    """任职: one role of one person in one union."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="posts", verbose_name="人员")
    union = models.ForeignKey(Union, models.PROTECT, related_name="posts", verbose_name="工会组织")
    role = models.CharField("角色", max_length=13, choices=Role.choices)

    objects: ClassVar[GatedManager[Self]] = GatedManager("union__path")

    class Meta:
        ordering = ("union__position", "role")
        verbose_name = verbose_name_plural = "任职"
        constraints = (models.UniqueConstraint(fields=["person", "union", "role"], name="one_post_each"),)

    def __str__(self) -> str:
        return f"{self.union.short_name} {self.get_role_display()}"


class PersonEvent(models.Model):
    """What administrators did to accounts: created, disabled, password reset, posts changed."""

    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="events")
    what = models.CharField(max_length=200)

    class Meta:
        ordering = ("-at", "-id")


class UnionEvent(models.Model):
    """What administrators did to the tree: created, renamed, switched on and off."""

    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    union = models.ForeignKey(Union, models.PROTECT, related_name="events")
    what = models.CharField(max_length=200)

    class Meta:
        ordering = ("-at", "-id")


__all__ = ["LEGAL_CHILDREN", "Actor", "Person", "PersonEvent", "Post", "Role", "Union", "UnionEvent"]
