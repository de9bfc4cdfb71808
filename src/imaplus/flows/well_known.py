"""What mail programs and providers call the mailboxes for sent mail, drafts, trash and the like.

A name is compared without case and without the words of `GENERIC`. The languages: English, German,
French, Italian, Spanish, Portuguese, Dutch, Swedish, Danish and Norwegian, Finnish, Polish, Czech
and Slovak, Hungarian, Romanian, Russian, Ukrainian, Turkish, Greek, Chinese, Japanese, Korean,
Hebrew, Arabic, Indonesian.
"""

from __future__ import annotations

from typing import Final

GENERIC: Final = frozenset(
    """mail mails e-mail e-mails email emails item items message messages folder
    nachrichten objekte elemente éléments courrier courriers posta elementi messaggi
    elementos mensajes correo correos mensagens itens berichten e-post meddelanden objekt
    meddelelser beskeder elementer viestit wiadomości elementy zprávy pošta správy levelek elemek
    üzenetek mesaje письма сообщения листи повідомлення öğeler iletiler mesajlar posta μηνύματα
    邮件 郵件 信件 メール アイテム 메일""".split()
)
"""Words that say nothing of what a mailbox is for: "Sent Items", "Gesendete Elemente"."""


def _names(text: str) -> frozenset[str]:
    """Names of one word each; an underscore stands for a space."""
    return frozenset(name.replace("_", " ") for name in text.casefold().split())


WELL_KNOWN: Final = {
    "\\Sent": _names(
        """sent gesendet gesendete envoyés envoyé envoyes envoyées inviati inviata inviate enviados
        enviado enviadas verzonden skickat skickade sendt sendte lähetetyt wysłane odeslané
        odeslaná odoslané odoslaná elküldött trimise отправленные надіслані відправлені
        gönderilmiş gönderilen gönderilenler απεσταλμένα 已发送 已发邮件 已傳送 寄件備份
        送信済み 送信済みメール 送信済 보낸 보낸편지함 보낸메일함 보낸_편지함 נשלח דואר_יוצא المرسلة
        terkirim"""
    ),
    "\\Drafts": _names(
        """drafts draft entwürfe entwurf entwuerfe brouillons brouillon bozze bozza borradores
        borrador rascunhos rascunho concepten concept utkast kladder luonnokset szkice robocze
        kopie_robocze koncepty rozepsané piszkozatok piszkozat ciorne черновики чернетки taslaklar
        πρόχειρα 草稿 草稿夹 草稿箱 草稿匣 下書き 임시보관함 임시_보관함 טיוטות المسودات draf"""
    ),
    "\\Trash": _names(
        """trash bin deleted papierkorb gelöscht gelöschte geloeschte corbeille supprimés poubelle
        cestino eliminati eliminata eliminada papelera eliminados papelera_de_reciclaje lixo
        lixeira excluídos excluídas prullenbak verwijderde papperskorg papperskorgen borttagna
        slettede slettet papirkurv papirkurven roskakori poistetut kosz usunięte koš odstraněná
        odstránené kuka lomtár törölt coș_de_gunoi корзина удаленные удалённые кошик видалені çöp
        çöp_kutusu silinmiş κάδος διαγραμμένα 已删除 已刪除 已删除邮件 垃圾桶 回收站 ごみ箱 ゴミ箱
        削除済み 휴지통 지운편지함 אשפה المهملات sampah"""
    ),
    "\\Junk": _names(
        """junk spam bulk spamverdacht unerwünscht unerwünschte pourriel indésirable indésirables
        indesiderata no_deseado lixo_eletrônico ongewenste ongewenst skräppost søppelpost uønsket
        roskaposti nevyžádaná nevyžiadaná levélszemét спам нежелательная gereksiz önemsiz
        ανεπιθύμητα ανεπιθύμητη_αλληλογραφία 垃圾 垃圾邮件 垃圾郵件 广告邮件 迷惑 迷惑メール
        스팸 스팸메일함 ספאם"""
    ),
    "\\Archive": _names(
        """archive archives archived archiv archivio archivo arquivo archief arkiv arkisto archiwum
        archív arhivă архив архів arşiv αρχείο αρχειοθήκη 归档 存档 封存 アーカイブ 보관함
        ארכיון الأرشيف"""
    ),
    "\\All": _names("all alle tous tutti todos wszystkie вся_почта"),
    "\\Flagged": _names("flagged starred markiert markierte suivis speciali destacados помеченные"),
    "\\Important": _names("important wichtig importanti importantes важное"),
    "\\Memos": _names("memos"),
    "\\Scheduled": _names("scheduled"),
    "\\Snoozed": _names("snoozed"),
}
"""Key words by special use."""
