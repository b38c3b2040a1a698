# Botun kendi söyledikleri, Türkçe; bkz. en.ftl. "Sen" diye hitap eder.

## Notices

working = Sorunun üzerinde hâlâ çalışıyorum.
still-working = Bu her zamankinden uzun sürüyor. Bırakmıyorum, yanıtı buraya yazacağım.
why = Söylediğin için teşekkürler. Bu yanıtın nesi yanlıştı? Bu mesajı yanıtla, beni yönetenler düzeltebilsin.
new = Yeni bir sohbet başlıyor. Konuştuklarımızı unuttum.
nothing-to-stop = Burada açık bir sorun yok, durdurulacak bir şey de yok.
too-late-to-stop = Durdurmak için çok geç: yanıtın yolda.
empty = Yazılı bir soru gerekiyor. Sorunu yaz, yanıtlayayım.
file-needs-words = Dosyaların metnini okuyabilirim ama yanında yazılı bir soru da gerekiyor.
only-attachment = Dosyaları okuyamıyorum. Sorunu yazarak sor, yanıtlayayım.
context-hidden = Gösterdiğin şey bana görünmüyor. Metnini bana kopyala, yanıtlayayım.
rest-hidden = Bu, daha uzun bir mesajın ilk parçasına benziyor ve bu grupta devamı bana görünmüyor. Bana doğrudan gönder ya da kısalt.
refused = Burada yanıt veremiyorum. Erişim için beni yönetenlere başvur.
pending = Buraya kuruldum ama henüz onaylanmadım. Önce beni yönetenlerin onay vermesi gerekiyor.
invited = Artık erişimin var. Bana kendi sözlerinle bir soru sor.
invitation-wrong = Bu davet geçerli değil ya da artık geçerli değil. Sana verenden bir yenisini iste.
greeting = Merhaba! Ben bir asistanım ve buradaki soruları yanıtlarım: beni etiketle.
greeting-command = Merhaba! Ben bir asistanım ve buradaki soruları yanıtlarım: beni etiketle ya da `{ $command }` ve sorunu yaz.
failure = Soruna bir yanıt alamadım. Lütfen daha sonra yeniden sor ya da beni yönetenlere şu kodu ilet: `{ $reference }`.
cut-short = Bu yanıtın gerisi gönderilemedi. Lütfen yeniden sor ya da beni yönetenlere şu kodu ilet: `{ $reference }`.
unsure = Yanıtımın tamamı sana ulaştı mı bilemiyorum. Ulaşmadıysa lütfen yeniden sor ya da beni yönetenlere şu kodu ilet: `{ $reference }`.
stopped =
    { $count ->
        [one] Durdum. Sorun yanıtsız kalacak.
       *[other] { $count } sorunu durdurdum.
    }
unknown-command = Bu komutu bilmiyorum. Var olanlar: { $commands }.
too-long =
    { $limit ->
        [one] Sorun benim için fazla uzun. Lütfen en çok bir karakter yaz.
       *[other] Sorun benim için fazla uzun. Lütfen { $limit } karakterden kısa tut.
    }
too-many =
    { $seconds ->
        [one] Bu, bir seferde yapabileceğimden fazla. Lütfen bir saniye sonra yeniden sor.
       *[other] Bu, bir seferde yapabileceğimden fazla. Lütfen { $seconds } saniye sonra yeniden sor.
    }
queue-full = Bekleyen sorularının sayısı zaten çok fazla. Lütfen yanıtları bekle, yaklaşık bir dakika, sonra yeniden sor.
about-this = Bunun hakkında ne söylenebilir?

## Help

help =
    { $places ->
        [true] Soruları yanıtlarım. Bana doğrudan yaz ya da başkalarının konuştuğu yerde beni etiketle; bana soru sorduğun bir konu dizisinde yazmayı sürdürmen yeter.
       *[false] Soruları yanıtlarım. Bana kendi sözlerinle yaz.
    }

    - `{ $prefix }new` yeni bir sohbet başlatır: konuştuklarımızı unuturum.
    - `{ $prefix }ask` ve sorun: bana böyle sorarsın.
    - `{ $prefix }stop` burada sorduğun ve henüz yanıtlamadığım soruları durdurur.
    - `{ $prefix }help` bunu gösterir.
help-rated =
    { help }

    Bir yanıta 👍 ya da 👎 ile tepki ver veya düğmelerini kullan: beni yönetenler ne kadar iyi olduğunu böyle öğrenir.

## Sentences below an answer

second-copy = Bu ikinci bir kopya olabilir: gönderirken bağlantı koptu.
context-refused = Soru, gösterdiğin şey olmadan soruldu: onunla birlikte fazla uzundu.
thread-unread = Bu konu dizisinin önceki mesajlarını okuyamadım.
context-unread = Gösterdiklerinin tamamı bana görünmüyor; görünmeyeni okuyamadım.
context-cut = Gösterdiğin şey uzun; yalnızca bir bölümünü okudum.
files-unread = Şunları okumadım: { $files }. Yalnızca sözlerini okudum.
files-others = diğerleri
file-picture = bir resim
file-sound = bir ses kaydı
file-film = bir video
file-nameless = bir dosya

## Labels

good-answer = İyi yanıt
bad-answer = Kötü yanıt
asked-by = { $name }, { $command } ile sordu
asked = { $command } ile soruldu
no-text = (Bu mesajda metin yok.)
form-title = Sorun neydi?
form-send = Gönder
form-skip = Geç
form-why = Bu yanıt neden iyi değildi?
home-ask = Nasıl sorulur
home-suggestions = Şunları sorabilirsin
home-recent = Son soruların
home-none = Henüz yok.
home-open = Aç
home-no-words = (metin yok)
home-when = { $outcome } · { DATETIME($at, dateStyle: "medium", timeStyle: "short") } UTC
outcome-open = açık
outcome-answered = yanıtlandı
outcome-failed = başarısız
outcome-refused = reddedildi
outcome-cancelled = iptal edildi
outcome-limited = sınırlandı

## A person's page

home-help =
    Bana doğrudan mesajla sor, bir kanalda beni etiketle ya da `/ask` kullan. Bir konu dizisinde önce söylenenleri hatırlarım.

    Bir yanıtın işe yarayıp yaramadığını söylemek için 👍 ya da 👎 ile tepki ver veya düğmeleri kullan.

    `!new` yeni bir sohbet başlatır, `!help` daha fazlasını anlatır.
home-below = Aşağıda bir soru sor.
home-short = Bana ne istersen sor: yazman yeter. /new yeni bir sohbet başlatır, /help daha fazlasını anlatır.

## The bot's profile

profile-about = Bana kendi sözlerinle bir soru sor. Grupta beni etiketle, bana yanıt ver ya da /ask kullan. Yanıtı 👍 veya 👎 ile değerlendir: sonrakiler daha iyi olur.
profile-short = Özel sohbetlerde ve gruplarda soruları yanıtlar.
command-start = Başla
command-help = Neler yapabilirim
command-new = Yeni bir sohbet başlat
command-stop = Açık sorularını durdur
command-ask = Bir soru sor
