"""Every page of reporting. Ids in a path are looked up behind the gate, never taken on trust."""

from django.urls import path

from reporting.views import campaigns, entry, papers, review, summaries, work

urlpatterns = [
    # What I have to do now
    path("", work.my_work, name="my_work"),
    path("messages/", work.inbox, name="messages"),
    path("messages/<int:pk>/", work.open_message, name="open_message"),
    # A filing, as its union fills it
    path("filings/<int:pk>/", entry.filing, name="filing"),
    path("filings/<int:pk>/forms/<slug:slug>/", entry.form_page, name="form_page"),
    path("filings/<int:pk>/forms/<slug:slug>/cells/", entry.save_cells, name="save_cells"),
    path("filings/<int:pk>/forms/<slug:slug>/explain/", entry.explain, name="explain"),
    path("filings/<int:pk>/head/", entry.save_head, name="save_head"),
    path("filings/<int:pk>/report/", entry.report_page, name="report_page"),
    path("filings/<int:pk>/report/upload/", entry.upload_report, name="upload_report"),
    path("reports/<int:pk>/download/", entry.download_report, name="download_report"),
    path("filings/<int:pk>/submit/", entry.submit, name="submit"),
    path("filings/<int:pk>/withdraw/", entry.withdraw, name="withdraw"),
    path("filings/<int:pk>/template.xlsx", papers.template, name="filing_template"),
    path("filings/<int:pk>/workbook.xlsx", papers.workbook, name="filing_workbook"),
    path("filings/<int:pk>/history/", review.history, name="history"),
    path("sheets/<int:campaign_pk>/<slug:slug>/<slug:digest>.json", entry.sheet_json, name="sheet_json"),
    # A filing, as the level above sees it
    path("review/", review.queue, name="review_queue"),
    path("review/<int:pk>/", review.review_page, name="review_page"),
    path("review/<int:pk>/remark/", review.add_remark, name="add_remark"),
    path("review/<int:pk>/send-back/", review.send_back, name="send_back"),
    path("review/<int:pk>/approve/", review.approve, name="approve"),
    path("review/<int:pk>/reopen/", review.reopen, name="reopen"),
    # Campaigns and who has filed
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("campaigns/<int:pk>/", campaigns.progress, name="progress"),
    path("campaigns/<int:pk>/settings/", campaigns.settings_page, name="campaign_settings"),
    path("campaigns/<int:pk>/clone/", campaigns.clone, name="clone_campaign"),
    path("campaigns/<int:pk>/rows/", campaigns.sheet_rows, name="sheet_rows"),
    path("filings/<int:pk>/extension/", campaigns.extension, name="extension"),
    # Summaries
    path("campaigns/<int:pk>/summaries/", summaries.summary_list, name="summaries"),
    path("campaigns/<int:pk>/aggregate/", summaries.aggregate, name="aggregate"),
    path("runs/<int:pk>/", summaries.run_progress, name="run_progress"),
    path("summaries/<int:pk>/<slug:slug>/", summaries.summary_page, name="summary"),
    path("summaries/<int:pk>/<slug:slug>/matrix/", summaries.matrix, name="matrix"),
    path("summaries/<int:pk>/<slug:slug>/parts/<str:code>/", summaries.parts, name="parts"),
    path("summaries/<int:pk>/workbook.xlsx", summaries.workbook, name="summary_workbook"),
]
