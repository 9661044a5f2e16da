"""帮扶中心工作统计表: attachment 2 of 黑工办发〔2020〕30号, row for row. Data end on 31 December."""

from helpcenter import report, sample
from reporting.fields import HOUSEHOLDS, PERSON_TIMES, PERSONS, PIECES, WANYUAN, Count, Money, Total, YesNo
from reporting.registry import register
from reporting.rules import Hard, Query, pair
from reporting.statistical import StatisticalForm


@register
class HelpCenterForm(StatisticalForm):
    """Attachment 2: the assistance centres, their people and money, and whom they helped in the year."""

    slug = "helpcenter"
    number = 2
    attachment = "附件2"
    title = "帮扶中心工作统计表"

    made_figures = staticmethod(sample.made_figures)
    report_sentences, report_shares = report.SENTENCES, report.SHARES

    # One row of the paper, one line here.
    # fmt: off
    A = Total("县级以上困难职工帮扶中心", of="A1 A2 A3", unit=PIECES, section=1)
    A1 = Count("其中：省级", unit=PIECES, section=1)
    A2 = Count("地市级", unit=PIECES, section=1)
    A3 = Count("县级", unit=PIECES, section=1)

    B = Total("县级以上帮扶中心共有工作人员", of="B1 B2 B3", unit=PERSONS, section=2)
    B1 = Total("其中：省级", of="B11 B12 B13", unit=PERSONS, section=2)
    B11 = Count("其中省级行政编制", unit=PERSONS, section=2, printed="label")
    B12 = Count("省级事业编制", unit=PERSONS, section=2, printed="label")
    B13 = Count("省级其他聘用人员", unit=PERSONS, section=2, printed="label")
    B2 = Total("其中：地市级", of="B21 B22 B23", unit=PERSONS, section=2)
    B21 = Count("其中地市级行政编制", unit=PERSONS, section=2, printed="label")
    B22 = Count("其中地市级事业编制", unit=PERSONS, section=2, printed="label")
    B23 = Count("其中地市级其他聘用人员", unit=PERSONS, section=2, printed="label")
    B3 = Total("其中：县级", of="B31 B32 B33", unit=PERSONS, section=2)
    B31 = Count("其中县级行政编制", unit=PERSONS, section=2, printed="label")
    B32 = Count("其中县级事业编制", unit=PERSONS, section=2, printed="label")
    B33 = Count("其中县级其他聘用人员", unit=PERSONS, section=2, printed="label")

    C = Count("帮扶中心工会志愿者", unit=PERSONS, section=3)

    D = Count("基层工会帮扶站点", unit=PIECES, section=4)
    D1 = Count("其中：企业工会帮扶站点", unit=PIECES, section=4, printed="label")

    E = Total("2020年度县级以上帮扶中心资金来源总额", of="E1 E2 E3 E4 E5", unit=WANYUAN, section=5)
    E1 = Money("其中：中央财政拨款", section=5)
    E2 = Money("地方财政拨款", section=5)
    E3 = Money("工会拨款", section=5)
    E4 = Money("社会捐助", section=5)
    E5 = Money("其他收入", section=5)

    F = Total("2020年度帮扶中心帮扶困难职工", of="F1 F2 F3 F4 F5 F6 F7", unit=PERSON_TIMES, section=6)
    G = Total("2020年度帮扶款物总额", of="G1 G2 G3 G4 G5 G6 G7", unit=WANYUAN, section=6)
    F1 = Count("其中：生活救助", unit=PERSON_TIMES, section=6)
    G1 = Money("帮扶款物", section=6)
    F2 = Count("医疗救助", unit=PERSON_TIMES, section=6)
    G2 = Money("帮扶款物", section=6)
    F3 = Count("子女上学救助", unit=PERSON_TIMES, section=6)
    G3 = Money("帮扶款物", section=6)
    F4 = Count("就业培训", unit=PERSON_TIMES, section=6)
    G4 = Money("帮扶金额", section=6)
    F5 = Count("创业贷款", unit=PERSON_TIMES, section=6)
    G5 = Money("帮扶金额", section=6)
    F6 = Count("心理帮扶", unit=PERSON_TIMES, section=6)
    G6 = Money("帮扶款物", section=6)
    F7 = Count("其他帮扶", unit=PERSON_TIMES, section=6, printed="label", note="原表此行没有代码")
    G7 = Money("帮扶款物", section=6, printed="label", note="原表此行代码重印为 G6", reprinted="G6")

    H = Total("2020年度经工会帮扶实现脱困的困难职工家庭", of="H1 H2 H3 H4", unit=HOUSEHOLDS, section=7)
    H1 = Count("其中：针对有劳动能力的困难职工，通过加强技能培训、提供创业援助等方式，以就业创业脱困的", unit=HOUSEHOLDS, section=7)
    H2 = Count("针对因企业欠缴社会保险费或没有落实相关社保待遇的困难职工，将其纳入国家社会保障制度的", unit=HOUSEHOLDS, section=7)
    H3 = Count("针对因病致困的职工，推动其纳入大病保险和医疗互助保险的", unit=HOUSEHOLDS, section=7)
    H4 = Count("针对符合低保条件的困难职工，通过社会救助兜底的有", unit=HOUSEHOLDS, section=7)

    I = YesNo("是否通过运用公益性捐赠税前列支资格、引导大中型企业等设立专项公益基金等方式，汇聚爱心企业、公益组织、社会机构等社会资源", section=8)
    J = Money("整合爱心企业、公益组织、社会机构等款物", section=8)

    K = Total("2020年度帮扶中心为职工提供各项服务", of="K1 K2", unit=PERSON_TIMES, section=9)
    K1 = Count("其中：提供健康服务", unit=PERSON_TIMES, section=9)
    K2 = Count("提供其他生活保障服务", unit=PERSON_TIMES, section=9)

    L = Money("2020年度帮扶中心建设费用投入", section=10)
    M = Money("工作经费投入", section=10)
    # fmt: on

    rules = [
        # The printed sums of F and G leave out the rows 其他帮扶; a total that left out a printed row
        # would understate the help given, so F7 and G7 are parts here.
        Hard(
            "D1_within_D",
            lambda f: f.D1 > f.D,
            "D1 企业工会帮扶站点 {D1} 个，多于 D 基层工会帮扶站点 {D} 个",
            cells="D D1",
        ),
        Hard(
            "J_needs_I",
            lambda f: (f.J > 0) & (f.I == 0),
            "I 选“否”，J 整合款物却为 {J} 万元：J 只有在 I 选“是”时才能填报",
            cells="I J",
        ),
        *(
            rule
            for n in ["", *range(1, 8)]
            for rule in pair(f"F{n}", f"G{n}", given="帮扶款物", to="帮扶对象")
        ),
        Query(
            "provincial_centres",
            lambda f: f.reporter_in("city", "industry", "county", "grassroots") & (f.A1 > 0),
            "A1 省级帮扶中心填 {A1} 个：本单位一般不应填报省级帮扶中心",
            cells="A1",
        ),
        Query(
            "provincial_staff",
            lambda f: f.reporter_in("city", "industry", "county", "grassroots") & (f.B1 > 0),
            "B1 省级帮扶中心工作人员填 {B1} 人：本单位一般不应填报省级帮扶中心工作人员",
            cells="B1",
        ),
        Query(
            "prefecture_centres",
            lambda f: f.reporter_in("city", "industry") & (f.A2 > 1),
            "A2 地市级帮扶中心填 {A2} 个：一个市（地）、产业一般不超过 1 个",
            cells="A2",
        ),
    ]

    class Meta:
        verbose_name = verbose_name_plural = "帮扶中心工作统计表"
