"""Log-in, the union acted for, people and unions."""

from django.urls import path

from unions.views import access, people, tree

urlpatterns = [
    path("login/", access.log_in, name="login"),
    path("logout/", access.log_out, name="logout"),
    path("password/", access.change_password, name="change_password"),
    path("here/", access.here, name="here"),
    path("acting/", access.act_for, name="act_for"),
    path("people/", people.people, name="people"),
    path("people/new/", people.new_person, name="new_person"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/reset-password/", people.reset_password, name="reset_password"),
    path("people/<int:pk>/active/", people.set_active, name="set_person_active"),
    path("unions/", tree.union_list, name="unions"),
    path("unions/new/", tree.new_union, name="new_union"),
    path("unions/<str:code>/", tree.edit_union, name="edit_union"),
    path("unions/<str:code>/active/", tree.set_union_active, name="set_union_active"),
    path("unions/<str:code>/children/", tree.set_active_children, name="set_active_children"),
]
