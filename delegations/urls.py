"""Every page of attachment 3. Ids in a path are looked up behind `access`, never taken on trust."""

from django.urls import path

from delegations.views import board, household, material, output, plan, record

urlpatterns = [
    # All delegations of a campaign
    path("delegations/", board.home, name="delegations"),
    path("campaigns/<int:pk>/delegations/", board.board, name="delegation_board"),
    path("campaigns/<int:pk>/delegations/settings/", board.settings_page, name="delegation_settings"),
    path("campaigns/<int:pk>/delegations/new/", board.new_delegation, name="new_delegation"),
    path("campaigns/<int:pk>/delegations/account/", record.account, name="delegation_account"),
    path("campaigns/<int:pk>/delegations/workbook.xlsx", output.workbook, name="delegation_workbook"),
    # One delegation's plan
    path("delegations/<int:pk>/", plan.delegation_page, name="delegation"),
    path("delegations/<int:pk>/save/", plan.save, name="save_plan"),
    path("delegations/<int:pk>/head/", plan.head_page, name="delegation_head"),
    path("delegations/<int:pk>/destinations/", plan.add_destination, name="add_destination"),
    path("delegations/<int:pk>/order/", plan.order_destinations, name="order_destinations"),
    path("delegations/<int:pk>/remove/", plan.remove_delegation, name="remove_delegation"),
    path("delegations/<int:pk>/lock/", plan.lock, name="lock_plan"),
    path("delegations/<int:pk>/unlock/", plan.unlock, name="unlock_plan"),
    path("delegations/<int:pk>/history/", plan.history, name="delegation_history"),
    path("destinations/<int:pk>/remove/", plan.remove_destination, name="remove_destination"),
    path("destinations/<int:pk>/visits/", plan.add_visit, name="add_visit"),
    path("destinations/<int:pk>/complete/", plan.complete_visits, name="complete_visits"),
    path("visits/<int:pk>/remove/", plan.remove_visit, name="remove_visit"),
    path("visits/<int:pk>/answer/", plan.answer_proposal, name="answer_proposal"),
    # One destination: as its own union sees it, and its record
    path("destinations/<int:pk>/", record.destination_page, name="destination"),
    path("destinations/<int:pk>/propose/", record.propose, name="propose_visit"),
    path("destinations/<int:pk>/record/", record.record_page, name="record"),
    path("destinations/<int:pk>/record/save/", record.save, name="save_record"),
    path("delegations/<int:pk>/archive/", record.archive, name="archive_delegation"),
    path("delegations/<int:pk>/reopen/", record.reopen, name="reopen_delegation"),
    # A household's personal data
    path("visits/<int:pk>/household/", household.household_page, name="household"),
    path("visits/<int:pk>/household/reveal/", household.reveal, name="reveal_household"),
    # Material
    path("destinations/<int:pk>/materials/", material.materials, name="materials"),
    path("destinations/<int:pk>/uploads/", material.create_upload, name="create_upload"),
    path("uploads/<uuid:pk>/", material.upload, name="upload"),
    path("destinations/<int:pk>/links/", material.add_link, name="add_link"),
    path("materials/<int:pk>/file/", material.material_file, name="material_file"),
    path("materials/<int:pk>/thumbnail/", material.material_thumbnail, name="material_thumbnail"),
    path("materials/<int:pk>/remove/", material.remove_material, name="remove_material"),
    # To take away
    path("delegations/<int:pk>/materials.zip", material.materials_zip, name="materials_zip"),
    path("delegations/<int:pk>/itinerary.pdf", output.itinerary, name="itinerary"),
    path("delegations/<int:pk>/calendar.ics", output.calendar, name="delegation_calendar"),
]
