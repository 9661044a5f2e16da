"""Every page of reporting. Ids in a path are looked up behind the gate, never taken on trust."""

from django.urls import path

from reporting.views import (
    batches,
    campaigns,
    drafts,
    entry,
    exports,
    imports,
    mailbox,
    papers,
    people_import,
    review,
    stamped,
    summaries,
    work,
)

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
    path("filings/<int:pk>/import/", imports.filing_import, name="filing_import"),
    path("imports/<int:pk>/", imports.import_preview, name="import_preview"),
    path("imports/<int:pk>/confirm/", imports.import_confirm, name="import_confirm"),
    path("imports/<int:pk>/drop/", imports.import_drop, name="import_drop"),
    path("filings/<int:pk>/report/draft.docx", drafts.report_draft, name="report_draft"),
    path("filings/<int:pk>/paper.pdf", stamped.filing_pdf, name="filing_pdf"),
    path("filings/<int:pk>/paper/", stamped.filing_paper, name="filing_paper"),
    path("filings/<int:pk>/scan/", stamped.upload_scan, name="upload_scan"),
    path("scans/<int:pk>/", stamped.scan, name="scan"),
    path("check-code/", stamped.check_code, name="check_code"),
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
    path("campaigns/<int:pk>/mail/", mailbox.send_to_mailbox, name="send_to_mailbox"),
    # Workbooks of many unions at once
    path("campaigns/<int:pk>/batches/", batches.batch_list, name="batches"),
    path("campaigns/<int:pk>/templates.zip", batches.templates, name="blank_templates"),
    path("batches/<int:pk>/", batches.batch, name="batch"),
    path("batches/<int:pk>/files/<int:position>/", batches.batch_file, name="batch_file"),
    path("batches/<int:pk>/confirm/", batches.batch_confirm, name="batch_confirm"),
    path("batches/<int:pk>/drop/", batches.batch_drop, name="batch_drop"),
    # People and unions from a workbook
    path("workbooks/people/", people_import.people_import, name="people_import"),
    path(
        "workbooks/people/template.xlsx", people_import.people_import_template, name="people_import_template"
    ),
    path("workbooks/people/confirm/", people_import.people_import_confirm, name="people_import_confirm"),
    path("workbooks/unions/", people_import.unions_import, name="unions_import"),
    path(
        "workbooks/unions/template.xlsx", people_import.unions_import_template, name="unions_import_template"
    ),
    path("workbooks/unions/confirm/", people_import.unions_import_confirm, name="unions_import_confirm"),
    # Summaries
    path("campaigns/<int:pk>/summaries/", summaries.summary_list, name="summaries"),
    path("campaigns/<int:pk>/aggregate/", summaries.aggregate, name="aggregate"),
    path("runs/<int:pk>/", summaries.run_progress, name="run_progress"),
    path("summaries/<int:pk>/exports/", exports.export_list, name="exports"),
    path("summaries/exports/<int:pk>/", exports.export_progress, name="export_progress"),
    path("summaries/exports/<int:pk>/again/", exports.export_again, name="export_again"),
    path("summaries/exports/<int:pk>/workbook.xlsx", exports.export_file, name="export_file"),
    path("summaries/<int:pk>/<slug:slug>/", summaries.summary_page, name="summary"),
    path("summaries/<int:pk>/<slug:slug>/matrix/", summaries.matrix, name="matrix"),
    path("summaries/<int:pk>/<slug:slug>/parts/<str:code>/", summaries.parts, name="parts"),
    path("summaries/<int:pk>/workbook.xlsx", summaries.workbook, name="summary_workbook"),
    path("summaries/<int:pk>/paper.pdf", drafts.summary_pdf, name="summary_pdf"),
    path("summaries/<int:pk>/report.docx", drafts.summary_report, name="summary_report"),
]
