"""送温暖统计表: attachment 1 of 黑工办发〔2020〕30号, row for row."""

from reporting.fields import ENTERPRISES, PERSON_TIMES, WANYUAN, Count, Money, Total
from reporting.registry import register
from reporting.rules import Query, Rule, pair, wanyuan
from reporting.statistical import StatisticalForm
from warmth import report, sample

# The usual national ceiling of one person-time of help: 3 000 元.
PER_HEAD_CEILING = "0.3"


def per_head(people: str, money: str) -> Rule:
    return Query(
        f"{money}_per_head",
        lambda f: (
            (getattr(f, people) > 0) & (getattr(f, money) > getattr(f, people) * wanyuan(PER_HEAD_CEILING))
        ),
        f"{money} 发放款物 {{{money}}} 万元，{people} 慰问对象 {{{people}}} 人次，人均超过 {PER_HEAD_CEILING} 万元",
        cells=f"{people} {money}",
    )


@register
class WarmthForm(StatisticalForm):
    """Attachment 1: money raised, people visited, help and service given over the two festivals."""

    slug = "warmth"
    number = 1
    attachment = "附件1"
    title = "送温暖统计表"

    made_figures = staticmethod(sample.made_figures)
    report_sentences, report_shares = report.SENTENCES, report.SHARES

    # One row of the paper, one line here.
    # fmt: off
    A = Total("各级工会筹集送温暖款物总额", of="A1 A2 A3 A4 A5", unit=WANYUAN, section=1, printed="no")
    A1 = Money("其中：省总工会下拨的两节送温暖资金", section=1, printed="no")
    A2 = Money("职工助困送温暖资金", section=1, printed="no")
    A3 = Money("省财政专项帮扶资金中用于专项送温暖的资金", section=1, printed="no")
    A4 = Money("爱心企业、社会力量捐助资金", section=1, printed="no")
    A5 = Money("其他资金（含本级工会经费）", section=1, printed="no")

    B = Count("走访慰问企业", unit=ENTERPRISES, section=2, printed="no")

    C = Total("走访慰问职工总数：慰问对象", of="C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11", unit=PERSON_TIMES, section=3, printed="no")
    D = Total("走访慰问职工总数：发放款物", of="D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11", unit=WANYUAN, section=3, printed="no")
    C1 = Count("因非个人意愿下岗失业、家庭收入水平明显偏低、子女教育费用负担过重等原因造成家庭生活困难的职工：慰问对象", unit=PERSON_TIMES, section=3, printed="no")
    D1 = Money("（同上）发放款物", section=3, printed="no")
    C2 = Count("本人或家庭成员因患大病、遭受各类灾害或突发意外等情况造成生活困难的职工：慰问对象", unit=PERSON_TIMES, section=3, printed="no")
    D2 = Money("（同上）发放款物", section=3, printed="no")
    C3 = Count("关停并转等困难企业中，因停发、减发工资而导致生活相对困难的职工：慰问对象", unit=PERSON_TIMES, section=3, printed="no")
    D3 = Money("（同上）发放款物", section=3, printed="no")
    C4 = Count("工伤与职业病致残的职工和因公牺牲职工的家属；因重大疾病手术、住院的职工：慰问对象", unit=PERSON_TIMES, section=3, printed="no")
    D4 = Money("（同上）发放款物", section=3, printed="no")
    C5 = Count("长期在高（低）温、高空、有毒有害等环境中和苦脏累险艰苦行业岗位上工作的一线职工：慰问对象", unit=PERSON_TIMES, section=3, printed="no")
    D5 = Money("（同上）发放款物", section=3, printed="no")
    C6 = Count("重大灾害期间坚守抗灾一线的职工：慰问对象", unit=PERSON_TIMES, section=3, printed="no")
    D6 = Money("（同上）发放款物", section=3)
    C7 = Count("春节期间坚守在生产一线和交通运输、电力、环卫以及直接面向群众服务的基层岗位干部职工：慰问对象", unit=PERSON_TIMES, section=3)
    D7 = Money("（同上）发放款物", section=3)
    C8 = Count("因组织需要长期异地工作或者服从组织需要赴外地、基层工作的派驻挂职干部职工：慰问对象", unit=PERSON_TIMES, section=3)
    D8 = Money("（同上）发放款物", section=3)
    C9 = Count("在重大项目和重大工程中做出突出贡献的职工：慰问对象", unit=PERSON_TIMES, section=3)
    D9 = Money("（同上）发放款物", section=3)
    C10 = Count("生产一线涌现出来的先进模范人物：慰问对象", unit=PERSON_TIMES, section=3)
    D10 = Money("（同上）发放款物", section=3)
    C11 = Count("各级工会建档的困难职工：慰问对象", unit=PERSON_TIMES, section=3)
    D11 = Money("（同上）发放款物", section=3)

    E = Total("为困难职工提供各项帮扶救助", of="E1 E2 E3 E4 E5", unit=PERSON_TIMES, section=4)
    E1 = Count("其中：落实民生政策", unit=PERSON_TIMES, section=4)
    E2 = Count("提供生活救助", unit=PERSON_TIMES, section=4)
    E3 = Count("提供医疗救助", unit=PERSON_TIMES, section=4)
    E4 = Count("提供子女助学救助", unit=PERSON_TIMES, section=4)
    E5 = Count("提供其他帮扶救助", unit=PERSON_TIMES, section=4)

    F = Total("为职工提供各项服务", of="F1 F2 F3", unit=PERSON_TIMES, section=5)
    F1 = Count("其中：提供心理健康服务", unit=PERSON_TIMES, section=5)
    F2 = Count("提供文化服务", unit=PERSON_TIMES, section=5)
    F3 = Count("提供其他生活保障服务", unit=PERSON_TIMES, section=5)

    G = Count("元旦春节期间共帮助农民工平安返乡", unit=PERSON_TIMES, section=6)
    H = Count("共协助政府有关部门帮助农民工追讨欠薪", unit=PERSON_TIMES, section=6)
    I = Money("帮助农民工追讨欠薪金额", section=6)

    J1 = Count("两节期间共慰问疫情防控一线医务人员：慰问对象", unit=PERSON_TIMES, section=7)
    J2 = Money("两节期间共慰问疫情防控一线医务人员：发放款物", section=7)
    # fmt: on

    rules = [
        *(
            rule
            for n in ["", *range(1, 12)]
            for rule in pair(f"C{n}", f"D{n}", given="发放款物", to="慰问对象")
        ),
        *(per_head(f"C{n}", f"D{n}") for n in ["", *range(1, 12)]),
        *pair("J1", "J2", given="发放款物", to="慰问对象"),
        Query(
            "D_above_A",
            lambda f: f.D > f.A,
            "D 发放款物 {D} 万元，大于 A 筹集送温暖款物总额 {A} 万元",
            cells="A D",
        ),
        Query(
            "I_without_H",
            lambda f: (f.I > 0) & (f.H == 0),
            "I 追讨欠薪 {I} 万元，H 协助追讨欠薪为 0 人次：有金额而没有人次",
            cells="H I",
        ),
        Query(
            "H_without_I",
            lambda f: (f.H > 0) & (f.I == 0),
            "H 协助追讨欠薪 {H} 人次，I 追讨欠薪金额为 0：有人次而没有金额",
            cells="H I",
        ),
    ]

    class Meta:
        verbose_name = verbose_name_plural = "送温暖统计表"
