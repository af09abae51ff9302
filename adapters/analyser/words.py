"""The tables of words by which the rules of activity 1 find what a mail wants.

A line of a table is ``weight: phrase; phrase``; it continues in the next line if that has no weight. In a phrase,
``a|b`` means either word, ``_`` a space inside one of them, ``word*`` any ending, ``<name>`` a group below, ``..`` up
to four words in between, and ``~`` the same in either order. A phrase never crosses the end of a sentence and counts
once. Words are in lower case, without -nya, and in the form that :data:`SHORT` gives abbreviations and regional words.
The labels are those of ``models/analysis.py``.

Held by `tests/adapters/analyser/test_rules.py`.
"""

SHORT = """
tidak: gk ga gak g gx kgk nggak enggak ngga engga ndak tak tdk kagak kaga ora mboten teu henteu tdak gabisa
belum: blm blom belom blum durung dereng
sudah: sdh udh udah dah wis wes sampun tos atos
masih: msh
saya: sy gw gue gua gwe aku ku abdi kulo kula
rumah: rmh omah bumi dirmh rumahku
internet: inet internete internetna internetku
wifi: wifine wifina wipi
telepon: tlp telp telpon tilpun telfon tlpn tlf telephon
nelepon: nelpon menelpon menelepon nelfon
menghubungi: ngehubungin menghub
nomor: nmr nomer nomere nomerna
berapa: brp brapa pinten sabaraha piro
bagaimana: gmn gimana gmana kumaha piye pripun
kenapa: knp kenopo ngopo naha mengapa
kapan: kpn iraha
pasang: psg psang masang
bayar: byr mbayar mayar membayar ngebayar
bulan: bln wulan
lagi: lg maneh deui meneh
besok: bsk sesuk enjing isuk
kemarin: kmrn kmaren wingi kamari
mati: pareum mateni matek modar tewas
putus: pegat pedot ptus
bisa: bs iso saged tiasa bsa dapat
tolong: tlg tulung plis pliss
mohon: mhn nyuwun mohonlah
minta: mnta njaluk nyuhunkeun meminta
tanya: nanya bertanya tnya naros takon menanyakan nanyain nanyakan
mau: mo pengen pingin ingin arep bade hendak
pindah: ngalih pindahan
kalau: klo kalo kl klu yen apabila bila
terus: trs trus wae melulu mulu
karena: krn soale
dari: dr
tapi: tp tetapi namun nanging
makasih: mksh makasi mkasih mkasi trims tks thx trimakasih nuwun nuhun suwun suksma
password: pasword paswd sandi
email: surel emel imel
kirim: krm kirimin kirimkan dikirim dikirimkan kirimi mengirim mengirimkan
please: pls plz
cannot: cant couldnt unable
not: isnt doesnt dont didnt wasnt wont hasnt havent
cek: dicek periksa diperiksa dipriksa memeriksa dicekin ngecek ceck pengecekan cekin
perbaiki: diperbaiki memperbaiki perbaikan perbaikin benerin dibenerin benerkeun dibenahi betulin dibetulkan
perbaiki: betulkan dipulihkan dinormalkan normalkan pulihkan dibenarkan didandani dandani dibetulin
ganti: diganti gantiin digantikan mengganti penggantian tukar ditukar
ubah: diubah mengubah merubah dirubah perubahan
lambat: lemot lelet lola lamban lambatnya lemotnya ngelag laggy alon leled
upgrade: diupgrade mengupgrade upgrad
teknisi: tehnisi teknisina
naik: naikin naekin dinaikin naikkan dinaikkan menaikkan naikan
turunkan: turunin nurunin diturunin diturunkan menurunkan turunkeun
tambah: nambah menambah tambahin ditambah nambahin menambahkan_paket
hilang: ilang ngilang menghilang
dipindah: dipindahkan dipindahin memindahkan pindahin mindahin pindahkan pemindahan
lapor: melapor melaporkan laporin ngelaporin
drop: ngedrop
komplain: complain komplen protes mengeluh mengeluhkan keluhkan
mbps: mb mbs megabit
"""

GROUPS = {
    "net": "internet|wifi|jaringan|koneksi|network|connection|indihome|sinyal|broadband",
    "line": "internet|wifi|jaringan|koneksi|network|connection|indihome|link|astinet|telepon|telephone|"
    "layanan|service|website|web|webmail|circuit|line|vpn|vpn_ip|ethernet|email|hosting|server|"
    "broadband|saluran|lines|server",
    "dead": "mati|padam|down|offline|dead|lumpuh|unreachable|outage|putus_total|out",
    "back": "nyala|menyala|normal|hidup|pulih|nyambung|lancar|kencang|bisa|jalan|berfungsi|ok|oke|stabil|"
    "bagus|baik|aman|beres|jernih|terkoneksi|tersambung|kenceng|cepat|benar|betul|sesuai",
    "works": "fine|ok|okay|good|normal|lancar|aman|baik|hidup|stabil|oke",
    "no": "tidak|belum|not|cannot|no|never|nor",
    "tv": "tv|televisi|useetv|siaran|channel*|kanal|stb|decoder|picture|dekoder",
    "phone": "telepon|telephone|landline|phone|pstn|pesawat",
    "box": "modem|modeme|ont|router|stb|adaptor|adapter|remote|decoder|dekoder|set_top_box|access_point|hg8245",
    "bill": "tagihan|bill|bills|invoice|invoices|faktur|kuitansi|kwitansi|billing|tagihannya",
    "staff": "petugas|cs|operator|agent|agen|sales|staf|staff|kasir|pegawai|loket|customer_service|karyawan|mbak|mas",
    "tech": "teknisi|technician|technicians|petugas|engineer|tukang|tim|installer",
    "case": "tiket|laporan|ticket|case|report|keluhan|pengaduan|permohonan|aduan|lapor|proses*|order|"
    "pengajuan|refund|penanganan|complaint|request|perbaiki|gangguan|pengembalian|surat",
    "plan": "paket|package|kecepatan|speed|bandwidth|kapasitas|plan|mbps",
    "repair": "perbaiki|cek|fix|fixed|repair|repaired|restore|investigate|benahi|sambung|disambung|replace|"
    "dilanjutkan|ditangani|betul|datang|ganti|rapikan|merapikan|dirapikan|ditindaklanjuti",
    "ask": "mohon|tolong|minta|please|kindly|harap|dimohon|kiranya|could|can|mangga|bisa|ask|request|segera|need|butuh",
    "want": "mau|bermaksud|would|like|want|berencana|rencana|berniat|minat|wish|planning|perlu|akan|kepingin|berminat",
    "sub": "langganan|berlangganan|subscription|contract|kontrak|layanan|indihome|internet|telepon|"
    "service|line|account",
    "boss": "atasan*|manager|manajer|supervisor*|pimpinan|superior|boss|bos|gm|team_leader|kepala_cabang|"
    "general_manager",
    "day": "senin|selasa|rabu|kamis|jumat|sabtu|minggu|monday|tuesday|wednesday|thursday|friday|saturday|sunday",
}

ASIDE = (
    "selain itu; satu lagi; sekalian; oh ya|iya; kedua; terus|lalu saya juga; lalu|dan tagihan; "
    "tambahan lagi; by the way; separately; also could|can|please; one more|other thing; in addition; "
    "terakhir; di samping itu; juga mau tanya"
)
"""What comes after one of these is seldom the main matter."""

TOPIC = {
    "no_service": """
        4: <line> ~ <dead>; no|without internet|connection|network|service|access;
          tidak ada internet|koneksi|jaringan|sinyal; <line> .. <no> bisa|jalan|nyala|hidup|konek|connect|
          connecting|terhubung|nyambung|work|working|connected|berfungsi|menyala; <net> .. hilang total|semua;
          tidak ada sambungan; tidak terhubung|tersambung|konek; internet|wifi|koneksi <no> ada; <net>|line|
          link .. <no> ada_sama_sekali|getting|available|tersambung|terkoneksi|bisa_diakses|accessible;
          lost internet|connection|all; service interruption; gangguan massal|total; cannot go|get online;
          tidak konek|terkoneksi|tersambung|terhubung
        3: mati|down|putus total|semua|lagi; lampu|los|pon|led|indikator .. merah|mati|kedip*; red light;
          light .. red; stopped|not working; cannot connect|access;
          <line> ~ sudah|is|are <back> lagi|kembali|again; back online|up|to_normal
        2: tidak bisa .. sama sekali; masih mati|down|offline; belum nyala|hidup|pulih; los;
          tidak bisa kirim|terima; offline; down; internet|wifi|jaringan|layanan .. normal|nyala|pulih;
          <line> .. error .. sejak; terputus; off
        1: gangguan; sudah normal|nyala|hidup lagi|kembali; outage
        -3: <net> ~ <works>
    """,
    "slow": """
        4: <net>|kecepatan|speed|browsing|download|akses|upload|streaming ~ lambat|slow|pelan|loading|turun|
          menurun|drop*|crawl*|payah|sluggish|penurunan|tersendat;
          lambat|slow sekali|banget|amat|pol|again|bgt|pisan|sanget;
          too|very|so|really|extremely|painfully slow; slow; speedtest; speed test; speed|kecepatan|upload|
          download ~ under|below|half|only|cuma|hanya|setengah; loading .. lama; takes ages|forever; way below;
          stutter*; ping tinggi; lebih lambat; supposed to|seharus .. mbps; main game;
          paket|plan .. mbps .. terima|bisa|get|rata; rata rata .. mbps
        3: sluggish; crawl*; tersendat|seret; muter terus|aja|doang; buffering;
          cuma|hanya|only|barely .. mbps|kbps; tidak sampai .. mbps|setengah; lagging|lag; ngedown;
          kecepatan .. tidak sesuai; tidak sesuai .. kecepatan|paket; got|get|getting .. mbps;
          jauh dari|di_bawah .. paket|mbps; fup; sudah lancar|kencang lagi
        2: lambat; mbps .. plan|paket; ping .. download|down|dl; instead of .. mbps; padahal paket; throttl*
        1: mbps; malam
    """,
    "intermittent": """
        5: hidup mati; bolak balik putus|mati|hilang; reconnect*; putus|hilang|mati nyambung|timbul|nyala|hidup|
          sambung|sambungan; nyambung .. putus|hilang; hilang .. balik; byar pet; on and off; up|down down|up;
          hilang|mati|nyala|putus|on|in|hidup muncul|nyala|mati|sambung|off|out|hidup; sebentar sebentar;
          timbul tenggelam; drop terus|lagi; putus lagi|lagi_putus
        4: sering|kerap|terus|selalu|suka|sok|berkali* putus|terputus|mati|hilang|disconnect*|dc|rto|drop;
          putus|dc|rto|drop terus|berulang; keeps|kept|keep dropping|disconnecting|cutting|going; drops|
          dropping|disconnects|disconnecting|cuts every|several|again|out|constantly|all; intermittent*;
          intermiten*; tidak stabil; unstable; flapping; kadang|sebentar nyala|bisa|hidup; comes and goes
        3: disconnect*; tiap|setiap|every .. menit|minutes|jam|hour; hurung .. mati; drops; putus putus;
          berulang; drop; ngadat; random disconnect*; masih putus; kambuh
        2: terputus; restart
        -3: suara*|telepon|telephone .. putus
    """,
    "voice_fault": """
        5: <phone>|suara*|voice|sound ~ kresek*|kemresek|berisik|noise|noisy|berdengung|dengung|mendengung|
          gemerisik|crackl*|static|hum*|buzz*|gema|echo|storing|putus*; tidak|cannot|not bisa|can|
          able .. nelepon|ditelepon|panggil|call|dial|memanggil; cannot|not .. call|dial|hear|make|receive;
          menerima|receive panggilan|telepon|calls|call; one way|sided; satu|searah arah
        4: suara .. <no> .. dengar|terdengar|kedengaran|jelas|keluar; lawan bicara; dial tone;
          nada sambung|panggil|sibuk|pilih; panggilan; nelepon keluar; salah sambung; crosstalk;
          phone|telephone line .. clear|crackl*|noise; telepon .. sudah jernih|jelas|bersih|normal
        3: kresek*; berdengung; <phone> ~ error|rusak|bermasalah|gangguan|trouble
    """,
    "tv_fault": """
        5: <tv> ~ error|blank|hitam|biru|macet|freez*|frozen|buffering|patah|gambar|loading|rusak|bermasalah|
          pixel*|bintik|gelap|hilang|kotak|ngeblank|suara|sound|stuck|semut; <tv> .. <no> bisa|muncul|keluar|
          tampil|work|working|siaran|nyala|load; <tv> mati; error code; kode error; no signal; layar biru|hitam;
          black screen; gangguan <tv>; tv|stb ~ gangguan; <tv> ~ tersendat|kode|terputus|putus
        4: <tv> ~ sudah bisa|normal|perbaiki|ok|oke|bagus|jernih|nonton; <tv> ~ works|working|back;
          <tv> ~ hilang|kosong
        2: siaran; tv; useetv
        -3: tv kabel; tanpa tv; berhenti tv
    """,
    "device": """
        6: <box> ~ rusak|panas|hangus|gosong|broken|faulty|defect*|petir|overheat*|bau|meledak|konslet|terbakar|
          kesetrum|jebol|pecah|replaced; ganti|replace|replacement|new .. <box>
        5: <box> ~ restart|reboot*|ganti|dead|lama|mati_total|hang|usang|jadul|tua; port lan; lan port;
          port .. mati|rusak; tombol; kena petir; unit .. ganti; <box> mati; lampu power; power supply; wifi|
          wlan|ssid .. tidak|not terpancar|muncul|terdeteksi|keluar|showing|visible;
          <box> .. <no> mau|bisa|merespon|berfungsi|turn|power|respond; not turn|power on; remote
        3: sinyal wifi .. sampai|lemah; restart sendiri; adaptor; lightning; wifi signal .. weak|reach
        2: adaptor|remote|wlan; rusak
        1: <box>
    """,
    "installation": """
        6: <no> .. dipasang|terpasang|diaktifkan|dipasangkan|installed|activated|terinstal; pemasangan|
          instalasi|installation baru|belum|tidak|delay*|late|terlambat|molor|tertunda; install* .. wrong|never
        5: pasang baru .. belum|tidak|kapan|kok; kapan dipasang|pasang|instalasi; psb;
          new connection|line|installation .. wrong|not|still|nothing; myir*; wrong address|house;
          sudah daftar|mendaftar|registrasi; sudah .. minggu|hari|bulan .. dipasang;
          salah|keliru pasang|memasang|instalasi; memasang .. salah|lengkap|lain; pemasangan ~ lancar|rapi|cepat
        4: dijanjikan .. pasang|dipasang|aktif; salah pasang|alamat; pasang baru;
          still waiting .. install*|connection; signed up|ordered .. weeks|not|ago; modem sudah dipasang;
          menunggu aktivasi; <no> aktif; kapan .. memasang|pasang
        3: instalasi; aktivasi; tanggal aktivasi; janji aktif; pemasangan; installation; survei|survey
        2: memasang|dipasang|terpasang|installed; formulir pendaftaran; pendaftaran|registrasi
        -3: pasang baru|indihome .. berapa
        -4: biaya pemasangan|pasang|instalasi; installation fee|cost
    """,
    "technician": """
        6: <tech> .. <no> datang|muncul|kunjung|dateng|show*|come|came|hadir|nongol|arrive*;
          technician never|did not; nobody|no one came|showed|has_come; missed appointment;
          teknisi .. minta uang|duit; technician|installer .. left|drilled|asked|damaged|rude|wrong
        5: menunggu|nunggu|tunggu|ditunggu|waiting|waited .. teknisi|technician; <tech> .. janji|ingkar|jorok|
          rokok*|merokok|kotor|marah|uang|merapikan|bayaran|asal|merusak|pungli|tip;
          pekerjaan .. tuntas|selesai|beres; <no> turn|show|turned|showed up; visit|appointment|
          kunjungan .. missed|scheduled|not|batal|tidak; no show; teknisi .. telat|terlambat|late;
          bekas .. dibiarkan
        4: janji teknisi|kunjungan; setengah jalan; bekas bor; ingkar; appointment; minta uang; pungli;
          pungutan; kerja .. jorok|asal|berantakan; stayed home; cuti .. menunggu; oknum; lubang bor;
          teknisi .. jadwal*|dijadwalkan .. tidak
        3: service visit; kunjungan; jadwal kunjungan; teknisi sudah datang
        2: teknisi; technician
    """,
    "billing_amount": """
        6: <bill> ~ sewa|tambahan|denda|ganda|duplikat|dobel_tagih|duplicate|keberatan;
          harga|promo .. tidak sesuai; <bill> ~ naik|melonjak|bengkak|membengkak|mahal|salah|tidak_sesuai|wrong|
          higher|double|dobel|dua_kali|selisih|besar|incorrect|too_high|kemahalan|lonjakan|jump*|tinggi|keliru|
          twice|janggal; ditagih|ditagihkan|charged|dikenakan|ditambahkan|muncul|billed .. tidak|not|never|
          padahal|tanpa; tidak pernah .. pesan|memesan|minta|berlangganan|ordered|aktifkan|pakai; overcharge*;
          kelebihan tagih*; charged for
        5: <no> order*|asked*|request*; kenaikan .. tagihan; koreksi tagihan; tagihan .. jadi|kok|kenapa;
          charged twice; penjelasan .. tagihan; explain .. bill|charge|invoice; still .. billed|charged;
          being billed|charged; stop .. billing; dua|two invoice|invoices|tagihan; masih ditagih; tagihan|bill|
          price ~ masih_sama|still_the_same|lebih_mahal|more_than|beda|agreed|tidak_wajar|unexpected|komplain|
          extra; salah tagih; kena biaya|charge; overbilled; billing error;
          tidak sesuai promo|kontrak|perjanjian|penawaran|janji; price increase
        3: dikoreksi; biaya siluman; add on; biaya .. tidak jelas; extra charge*; promo .. tidak sesuai; biasa
        2: tagihan|bill|charge|harga|mahal; overcharg*
    """,
    "payment": """
        6: bayar|pembayaran|payment|paid|dibayar|transfer .. <no> .. masuk|tercatat|terbaca|recorded|received|
          registered|muncul|credited; cara bayar|pembayaran|pay; ways|how|where .. pay|paying; bayar|lunas|
          dibayar|dilunasi|paid|pembayaran ~ isolir|diisolir|terisolir|blokir|diblokir|terblokir|diputus|
          tunggakan|menunggak|blocked|suspended|unblock*|dibuka; autodebet|autodebit; auto debet|debit;
          direct debit; double payment; dobel|dua_kali bayar; bayar dobel|dua_kali; paid twice
        5: telat bayar; <no> lunas; lunas|dilunasi|lunasi|melunasi|paid ~ terkunci|blokir|isolir; belum|not|
          masih|still .. terbayar|lunas|paid|unpaid|outstanding|belum_bayar; pembayaran gagal; payment failed;
          saldo terpotong|terdebet; buka blokir|isolir; tempat bayar; kode bayar
        4: isolir|diisolir|terisolir|blokir|diblokir|terblokir; bukti|proof transfer|bayar|pembayaran|of;
          bayar .. dimana|di_mana|lewat|via|pakai; pembayaran .. bisa|lewat|via|gagal; virtual account;
          bisa bayar; how to pay; payment method*; bank account
        3: sudah bayar|lunas|dibayar; already paid; jatuh tempo; refund .. payment; cicil*; dicicil; indomaret|
          alfamart|minimarket|mbanking|gopay|ovo|kartu_kredit|credit_card; have paid
        2: bayar|pembayaran|pay|paid|lunas|lunasi|dilunasi; terkunci
        -3: bayar mahal|tiap|setiap; bunga; bayar paket
    """,
    "bill_copy": """
        6: salinan|copy|copies|kopi|duplikat|rincian|cetak|cetakan|detail|pdf|riwayat ~ <bill>|pembayaran|
          pemakaian; resend|send .. <bill>; bukti potong; faktur pajak
        5: minta|mohon|kirim|butuh|perlu|need|request .. tagihan|invoice|faktur|kuitansi .. bulan|okt*|sep*|
          nov*|agu*|periode|terakhir|for|email; minta|minta_kirim tagihan|invoice|kuitansi;
          tagihan .. tidak sampai|belum terkirim; statement; rekap .. <bill>; struk; receipt;
          bukti bayar|pembayaran .. kirim|minta|mohon
        3: <bill> .. kirim; kirim .. <bill>; e bill; ebilling; final bill; lampirkan tagihan; reimburse;
          salinan; tagihan .. belum sampai|terima
        2: invoice|kuitansi|faktur
        -4: naik; kirim .. bukti
    """,
    "packages": """
        5: sebulan|perbulan|setahun ~ berapa; ada diskon|potongan;
          paket .. apa saja|aja|berapa|murah|termurah|tersedia|cocok; daftar|penawaran harga; price list;
          brosur|brochure; quotation*|quote|quotes|rfq|penawaran|proposal_harga; promo .. apa|ada|berlaku|bulan;
          ada promo; permohonan penawaran; info paket; which packages|plans
        4: harga|tarif|biaya|price|prices|pricing|cost|costs|rate ~ berapa|paket|bulan|sebulan|monthly|package|
          setahun|tahun; tanya paket; ambil yang; what .. packages|plans|promotions;
          berapa .. biaya|harga|sebulan|perbulan|bulan|tarif; how much; minat|tertarik|interested;
          katalog|pricelist|price_list; cara daftar|berlangganan|mendaftar; sign up|subscribe;
          deals|offers|promotions; pasang baru; mau|minat daftar|memasang|langganan; kira kira berapa
        2: paket|package|packages; kisaran; bundling; monthly; tanpa tv; promo; pasang baru;
          mau|rencana pasang|langganan|berlangganan
        1.5: berapa|harga|biaya; bulan berapa|kena; yang mana; paket bisnis
    """,
    "coverage": """
        8: terjangkau|kejangkau|jangkauan|menjangkau|coverage|covered|tercover|tercakup|dijangkau|tercoverage|
          kecover|dicover
        6: sudah|belum|apakah .. ada|masuk|tersedia|sampai|nyampe .. jaringan|fiber|indihome; jaringan|fiber|
          fibre|indihome .. sudah|belum|apakah .. ada|masuk|tersedia|sampai|nyampe|belum; available|
          availability|reach|reaches|serve .. at|in|us|our|area|my|here; ada jaringan|indihome; masuk .. belum;
          do|does you|telkom|indihome cover|serve|service|have_fibre|have_fiber|reach;
          have|ada fibre|fiber .. there|here|sana|sini; bisa pasang .. di; possible .. get|install .. at|in
        5: can|bisa .. installed|dipasang .. at|in|di; fibre|fiber available|reach*;
          bisa dipasang|pasang di|disini; cek .. tersedia|lokasi|area|alamat;
          odp|tiang .. penuh|kosong|tersedia|dekat; daerah|wilayah|lokasi|perumahan .. bisa|ada|sudah|masuk;
          ketersediaan; is there .. at|in
        2: lokasi|daerah|wilayah|area|perumahan
    """,
    "change_package": """
        6: naik|upgrade|downgrade|turunkan|turun_ke|ganti|ubah|berubah|change|tambah|switch|lower|increase|
          reduce|migrasi ~ <plan>
        5: dari .. ke|menjadi|jadi|to .. mbps; upgrade; downgrade; naik|turun ke|paket|speed; menjadi paket;
          to .. mbps plan; tambah|tambahan channel|kanal|tv|minipack|kuota|stb|fitur|orbit|extender|layanan;
          ganti|pindah paket; berhenti|hapus|copot|matikan minipack|addon|add_on; beralih|migrasi|migrate;
          naik|tambah|turunkan .. speed|jadi|paket|ke; cheaper|bigger|faster plan|package; addon|add_on
        3: minipack; turun|naik
        -2: ganti modem
        -5: kecepatan|speed .. menurun|drop*|turun; tidak upgrade
    """,
    "relocation": """
        6: pindah|dipindah*|relokasi|relocat*|move|moving|transfer_of ~ rumah|alamat|lokasi|kantor|indihome|
          telepon|internet|house|address|saluran|warung|toko|office|apartment|apartemen|kontrakan|kos|ruko|
          gedung|ruang|modem|titik|link|kota|connection|new|baru
        5: dipindah ~ modem|titik|lantai|rumah|kantor; mutasi alamat; geser modem|kabel; ruang .. ke lantai
        4: pindah alamat|rumah|lokasi|tempat; moving house; relocation; pindah .. pasang; biaya pindah; digeser;
          geser .. tiang; penggeseran; rumah|alamat|kantor baru; bisa dibawa; take .. with us; ikut pindah
        2: pindah|move|moving|relocate; dibawa
        -4: titik kabel; pindah .. perusahaan|provider|operator|paket
    """,
    "termination": """
        7: berhenti|menghentikan|hentikan|dihentikan|stop|cabut|dicabut|pencabutan|mencabut|pemutusan|memutus|
          memutuskan|putuskan|diputus|menutup|tutup|ditutup|penutupan|terminat*|cancel|cancellation|cancelling|
          disconnect|discontinue|batal|batalkan|end|close ~ langganan|berlangganan|subscription|contract|
          kontrak|layanan|account|service|indihome|line
        6: <no> .. perpanjang|diperpanjang|renew|memperpanjang;
          nonaktifkan|menonaktifkan|penonaktifan|deactivate; prosedur|cara pemutusan|berhenti|penghentian;
          berhenti .. pelanggan; pemutusan layanan; penghentian
        5: berhenti langganan|berlangganan; penyerahan|pengembalian|kembalikan modem|perangkat; terminate;
          handing back; tutup|menutup akun; berhenti tv; stop langganan; unsubscribe; cancel my;
          leaving indonesia
        4: how .. cancel; give|hand|return .. router|modem back; not|tidak need|butuh .. internet;
          berhenti|stop pakai
        2: berhenti; cancel|terminate|mengakhiri
        -3: minipack; pindah; kalau|atau|saya berhenti saja; sudah|saya berhenti berlangganan; cancelled;
          kelebihan bayar; toko tutup
        -5: putus nyambung|putus; ditutup laporan; laporan .. ditutup; tiket .. tutup|ditutup
    """,
    "account_data": """
        7: balik|membalik|mbalik nama; ganti|ubah|update|change|koreksi|perbarui|memperbarui|pembaruan|
          pembetulan|correct|pemutakhiran ~ nama|email|npwp|data|kontak|name|owner*|nik|hp|email_tagihan|
          handphone|kepemilikan|contact
        6: ubah|ganti|update|change .. alamat|address; alamat .. tagihan|penagihan|faktur; kepemilikan;
          ownership; change of name|owner; change of .. address; data pelanggan .. salah|ubah|ganti|sesuaikan;
          nama .. salah|keliru|typo|tertulis; salah|wrong nama|name|ejaan; npwp; nama pemilik; nama penanggung;
          alih kepemilikan; pembaruan|pemutakhiran data; ganti data|nama pelanggan|perusahaan|langganan;
          data pelanggan .. npwp|nik
        4: nama .. tertulis|seharus|salah; nama|name saya|is .. salah|wrong|misspelled
        2: atas nama; almarhum*; meninggal; ahli waris; passed away; data pelanggan; terdaftar; ktp; dokumen;
          kartu keluarga; kk
        -4: alamat pasang; password; data pribadi; pindah alamat|rumah
        -5: nama .. wifi|password; nama dan password|kata
    """,
    "password": """
        7: lupa|reset|ganti|ubah|forgot|change|direset|forgotten|lost|mereset .. password|pin|login|
          kata_password; password ~ lupa|reset|ganti|ubah|forgot*|change*|hilang|salah|expired
        6: kata kunci; nama .. wifi|ssid; password; username; verification code; aktivasi akun
        5: password; kata password; <no> bisa|can .. login|masuk|log_in; otp; log in; locked out;
          lupa akun|username; nama wifi; ssid; kode verifikasi
        2: login|akun|password; <no>|cannot get into
    """,
    "link_quality": """
        6: packet|paket|pkt loss; packetloss; loss .. persen|ms|rtt; latency|latensi|rtt|jitter|crc|utilisasi|
          utilization|utilisation|bgp|traceroute|mtr|mrtg|mtu|throughput|rto; high ping; packet drops;
          throughput; error rate; iperf; tracert
        4: loss; backbone; round trip; reason for outage; hop; trafik|traffic .. <no>|hanya|only; limiter;
          bandwidth .. tidak sesuai|hanya|kontrak; sla .. tidak; redaman|attenuation; error port|naik; degrad*;
          qos
        3: packets; round trip
        1: ping
    """,
    "cable": """
        7: kabel|tiang|pole|cable|cables|optik|optic|wire|wires|tutup_manhole|manhole|kotak_odp ~ menjuntai|
          roboh|miring|jatuh|semrawut|fallen|hanging|snapped|tumbang|terbakar|galian|rendah|menghalangi|keropos|
          putus|fell|leaning|kendor|melintang|tersangkut|nyangkut|patah|terputus|down|cut|terkelupas|terbuka|
          dicuri|tertabrak|condong|melorot|low|broken|terlepas
        6: kabel|tiang ~ melorot|ketarik|kendur|ngelantur|nyangkut|kena_motor|bahaya|ditarik;
          pole .. about_to_fall|leans|tilting
        4: kabel|cable|tiang .. jalan|street|road|pohon|pagar|atap|gang;
          kena bego|eskavator|ekskavator|truk|pohon|galian; tiang; tersangkut; dangling
        2: kabel|tiang|cable|pole
        -3: kabel lan|hdmi; di teras
    """,
    "compensation": """
        9: kompensasi|compensation|restitusi|restitution; ganti rugi|kerugian; service|sla|bill credit*;
          compensate; reimburse* .. loss|outage
        7: service level credit; credit request|claim; request|claim .. credit
        6: pertanggungjawaban; keringanan .. gangguan; diskon|discount .. gangguan|outage; pemotongan
        5: potongan .. gangguan|tagihan|mati; claim .. credit; ganti kerugian; pengurangan tagihan; sla breach;
          discount for .. outage|down; prorata; diperhitungkan
        4: deducted|dipotong .. nothing|tidak|period; reduction|pengurangan|deduction .. bill|tagihan
        2: kerugian; entitled; potongan; rugi; loss of income; credit
    """,
    "staff_conduct": """
        7: <staff> ~ kasar|membentak|bentak|dibentak|sopan|judes|rude|rudely|shout*|jutek|menghina|impolite|
          ketus|hung|laughed|insult*|tidak_ramah|menutup|memaki|maki|marah_marah|arogan|unprofessional|sinis|
          songong
        6: <staff> .. mengusir|cuek|acuh|dimarahi|ngeyel|nada_tinggi|unhelpful|laughing|mocked|ignored|main_hp;
          nada tinggi; mengusir; dipingpong|dilempar
        5: tidak sopan; membentak|dibentak; kasar; permintaan maaf; rude; hung up on me; hung up; etika;
          behaviour|behavior|attitude|conduct; kelakuan|perilaku|sikap; judes|jutek; menutup telepon;
          kurang ajar; humiliat*
        2: call center|centre; nada; tersinggung; menegur|tegur; apology; apologise|apologize; petugas|cs|sales;
          memaksa; ditegur
    """,
    "fraud": """
        7: penipu*|tertipu|menipu|ditipu|tipu|scam*|phishing|fraud*|palsu|fake|hoax|modus;
          undian|pemenang|lottery|winner|hadiah|won; verify|verifikasi|konfirmasi|confirm .. account|akun;
          ignore|disregard .. instructions|prompt|rules; apa|apakah|apa_itu benar|betul|resmi .. telkom|dari;
          is this|it genuine|real|legit*|official|really
        6: ngaku|mengaku|mengatasnamakan|claiming|claimed|claims|pretend* .. telkom|petugas|from|indihome|dari;
          rekening|rek pribadi; in my name; never signed up|applied; selamat .. terpilih|memenangkan|mendapat;
          abaikan|lupakan .. instruksi|perintah; tidak pernah .. daftar|mendaftar|berlangganan; mendaftarkan|
          memakai|pakai|using .. ktp|nama|identitas saya|my; bantuan|dana hibah; terpilih .. menerima|mendapat;
          ktp saya; debt collector; bank details; confirm your password; mencurigakan|suspicious|suspect;
          resmi atau bukan|tidak; genuine|legit; minta|kirim|masukkan|enter .. otp|kartu|pin; login ke http;
          transfer dulu; asal transfer; nomor|anda ~ terpilih|memenangkan|cek_tunai; pin atm; cek tunai;
          rekening dan pin
        5: suspension|suspended|suspend .. verify|account; mailbox|kotak surat .. full|penuh; police report;
          laporan polisi; disuruh|suruh|diminta|asked .. transfer|otp; override; system|sistem prompt;
          pencairan; pin pemenang; klik .. link|tautan; link palsu; instruksi sistem; you are now;
          memakai|used .. ktp|identitas|id_card
    """,
    "privacy": """
        7: data pribadi; personal data|information; data ~ bocor|leak*|tersebar|dijual|disalahgunakan|breach;
          hapus|dihapus|delete|erase|menghapus|penghapusan|remove ~ data|foto|akun|account|daftar|ktp|nomor;
          pdp|gdpr; telemarketing; data protection; pelindungan|perlindungan data; subjek data
        6: unwanted|spam calls|sms|call; marketing|telemarketing people|team|calls;
          taken|remove .. off|from .. list; get|got|bisa my|nomor number|saya; opt out;
          stop contacting|calling|menghubungi; data .. saya .. disimpan|simpan; telemarketer*;
          mendapat nomor|data saya
        5: bocor|kebocoran; nomor|data .. disebar*|diberikan|dipakai; tanpa izin|persetujuan;
          promosi .. ditelepon|telepon; wa|sms|telepon promosi; privasi; privacy; who .. my data;
          without .. consent; sms|telepon|calls penawaran|marketing;
          stop .. promosi|menghubungi|calling|marketing; data|nama|alamat .. orang|pelanggan lain; stranger;
          about me; store|hold .. about me|my
        2: data
    """,
    "case_status": """
        6: status|perkembangan|progress|progres|update*|kabar*|kelanjutan|lanjut|tindaklanjut|sampai_mana|
          sejauh_mana ~ <case>; sampai|sejauh .. mana; any update*|news|progress; current status;
          silakan|bisa|boleh|may ditutup|close|tutup|closed; where .. are|is we|my|the; status and|of;
          <no> .. mendapat|bisa|menerima|terima|received tanggapan|jawaban|balasan|respon|kabar|reply|response|
          answer; nasib laporan|pengaduan; what is happening; when will .. be
        5: sudah|belum .. ada|bisa kabar|tanggapan|jawaban|respon|balasan|informasi|kejelasan|update|info;
          <no> .. direspon|dijawab|dibalas|ditanggapi|heard|response|reply|answer; sudah dikerjakan|dikerjain|
          ditangani|diproses|ditindaklanjuti .. belum|apa; tanya .. laporan|tiket|keluhan;
          kapan selesai|kelar|beres; laporan|tiket|keluhan .. bagaimana|kabar;
          bagaimana .. laporan|tiket|kabar|kelanjutan
        4: where .. stand|stands; bagaimana .. ini; let us|me know .. status|where
        3: pengaduan; tanggapan; diberi kabar
        2: status; tunggu|ditunggu; tiket|ticket; perkembangan; how long; kelanjutan; proses*
        -3: <ask> .. perbaiki|teknisi|fix|repair|dikoreksi|dihitung; masih mati; reopen; menambahkan; tambahan;
          kapan dipasang; dilanjutkan .. perbaiki
    """,
    "other": """
        4: arisan|undangan; pinjaman; pln|listrik; pesanan; imap|smtp|outlook; backlink|seo;
          lowongan|lamaran|magang|proposal|sponsor*; jasa; omzet; investasi; terima kasih atas info;
          setting|pengaturan email; katering; blast; database
    """,
}

TOPIC_KIND = {
    topic: kind
    for kind, topics in {
        "complaint": "no_service slow intermittent voice_fault tv_fault device installation technician billing_amount "
        "link_quality cable compensation staff_conduct",
        "information": "bill_copy packages coverage change_package relocation termination account_data password",
        "follow_up": "case_status",
    }.items()
    for topic in topics.split()
}
"""The kind that a topic suggests; the other topics suggest none."""

STRANGER_TOPICS = {"other", "fraud", "packages", "password"}
"""Topics of mail from strangers, too."""

GENERAL_TOPICS = {"packages", "coverage", "payment", "password", "compensation", "other"}
"""A question about one of these that names no line is a general question."""

TOPIC_PRODUCT = {"tv_fault": "indihome_tv", "voice_fault": "telephony"}
"""The product of a topic."""

OUTAGE_TOPICS = {"no_service", "device", "cable", "payment"}
"""Topics in which a line may be dead."""

OURS = (
    "telkom; indihome; tagihan|bill|bills|invoice; hosted; line; <tech>; pelanggan|customer|langganan|berlangganan; "
    "paket; 147; wa|sms|call|calls|telepon|promosi|marketing; gangguan; tiket|ticket|laporan; plasa; "
    "tiang|kabel|cable|pole; layanan|service; account|akun; kompensasi; petugas"
)
"""Words of our trade; a mail without any of them is hardly meant for us."""

NUMBER_TELLS_NOTHING = {"tv_fault", "voice_fault", "cable"}
"""In these topics an internet number only shows who writes."""

KIND = {
    "complaint": """
        5: mau|izin lapor|komplain|mengadu; komplain
        4: <ask> .. perbaiki; please|must|can|could .. fix|repair|investigate|restore|replace|correct;
          komplain|complaint|keluhan|mengeluh*; penanganan segera; tertipu; bocor; menuntut; dirugikan;
          someone used
        3: kecewa|mengecewakan|kekecewaan|disappoint*|unacceptable|appalling|disgraceful|ridiculous; marah|
          angry|muak|kesal|jengkel|emosi|fed_up|furious|memalukan; parah|payah|bobrok|buruk|ancur|kacau|poor;
          rusak|broken|faulty|error; tidak terima; kompensasi|restitusi|entitled|claim; lambat; perbaiki;
          wrong|incorrect; salah; <line> ~ <dead>; tidak bisa .. sama sekali;
          gangguan|bermasalah|trouble|problem|masalah|kendala; padahal; tidak sesuai;
          tidak pernah .. pesan|minta; <no> .. datang|dipasang|terpasang|muncul|masuk|tercatat|recorded;
          dikembalikan|refund; bayar dobel; dobel bayar; ganda; koreksi|dikoreksi; rip_off;
          masih diblokir|isolir|terblokir|ditagih; kembalikan uang; dijanjikan|janji;
          ternyata bohong|palsu|penipuan; saya .. transfer .. ternyata; uang saya .. hilang|kembali;
          supposed|seharus to|sudah|tetap|nya; asked twice|already; keeps|keep|always stuttering|freezing|
          dropping|failing|stopping; although|even though|nevertheless; komplain|keberatan; masih sama;
          sangat terganggu; pertanggungjawaban; mengusir; did not turn|show|come
        2: sejak|since|semenjak; tidak bisa; terganggu|keganggu|ganggu; tidak profesional|professional; merasa;
          kenapa|why; kok; jelaskan|explain; never; tapi|sekarang .. mati|telepon|lambat|putus; putus;
          <ask> .. cek; segera|immediately; rugi; <no> work*; ternyata; batalkan .. tagihan;
          sampai sekarang|hari_ini; sudah .. hari|minggu|bulan; tagihan ~ naik|melonjak|bengkak;
          membentak|kasar|rude; menjuntai|roboh|miring; koreksi|dikoreksi; cannot; stops|stopped|stuttering;
          belum terbayar|lunas; drop; lapor; sama sekali; every few|time|evening|day; tiap hujan
        -2: sudah .. lancar|normal|nyala|kencang lagi|kembali; ramah; hanya|cuma .. tanya|tahu; sekadar tanya
        -3: tidak ada masalah|gangguan|keluhan|kendala; puas sekali; really happy; jaga jaga;
          no problem|complaints
        -4: sudah tidak .. lagi
    """,
    "information": """
        4: <want> pasang|pindah|naik|turun|order|upgrade|tahu|menghentikan|berhenti|membalik|tambah|know|balik|
          ubah|ganti|daftar|cancel|change|move|langganan|berlangganan|downgrade;
          syarat*|persyaratan|prosedur|requirements|procedure; cara|langkah; how to|do|can|does; tanya;
          resmi atau; does telkom|indihome; penawaran; genuine|legit; kapan bisa
        3: berapa; how much|long; apa|apakah bisa|benar|ada|perlu|harus|saja|masih|boleh;
          quote|quotation|penawaran|rfq; could|can you tell|check|send|let; permohonan|permintaan informasi|
          penawaran|salinan|upgrade|ubah|data|akses|reset|pemasangan|pindah|berhenti;
          perihal|hal permohonan|permintaan; salinan|copy; mohon .. disesuaikan; upgrade|downgrade; balik nama;
          reset|lupa|forgot .. password; bagaimana .. cara|prosedur|aturan|syarat;
          data|foto|akun|ktp|nomor .. dihapus|hapus; delete|erase|remove my; under the .. law; akses data
        2: apakah; <ask> .. kirim|diproses|dipindah|informasi|petunjuk|direset|ganti|ubah|naik|cancel|dihapus|
          info|penjelasan|salinan|send; mau|would_like; biaya; harga|price|tarif; bisa dimana|dibayar; setting;
          minat|tertarik; which; what is|are|do; info; bagaimana; is there|it; do|does you|i|the|telkom; do we;
          puas; pindah; berhenti; bermaksud; rencana|planning; please quote|cancel|advise; disesuaikan; siapkan
        1.5: ?
        -2: kenapa; kok; perbaiki; masih; marah; padahal; dijanjikan
        -4: sudah|belum ada kabar; perkembangan; masih mati; mau lapor|komplain|mengadu
    """,
    "follow_up": """
        5: menindaklanjuti|menyusul|menyusuli|menambahkan|melengkapi|menyambung|menanggapi;
          menjawab|membalas .. permintaan|email|pertanyaan|surat; sampai|sejauh .. mana;
          sudah|belum .. kabar|tanggapan; perkembangan|kelanjutan; tindak lanjut|lanjutan;
          any update|news|progress; referring|further|following|reference to|up; follow up; reopen;
          still waiting; current status; sesuai|as permintaan|requested|arahan; status of
        4: email|surat|laporan|chat|keluhan ke|yang 2|3|4|5|dua|tiga|empat|lima|kedua|ketiga|keempat|kelima|
          sama; ini .. ketiga|kedua|keempat|kelima; third|second|fourth|fifth email|time|message|letter;
          kata selesai|sudah; <no> .. direspon|dijawab|dibalas|ditindaklanjuti|ditanggapi|answered|replied;
          balasan; jawaban|email anda|ibu|bapak|telkom; seperti .. di bawah; <no> heard .. from; ambil yang;
          masih belum|menunggu; berikut .. diminta|hasil|data; minggu lalu|kemarin|previously|earlier .. lapor|
          laporan|email|bilang|janji|reported|wrote; yang|as|were diminta|requested|asked; <no> .. mendapat|
          menerima|received tanggapan|jawaban|balasan|reply|response; diberi kabar; masih sama .. kak|saja|pak;
          bilang|kata|said sudah|fixed|beres; menurut jawaban; berikut .. kirim; dua|tiga|empat|lima|2|3|4|
          5 kali .. lapor|email|menghubungi|telepon; reported|called|written twice|three|several;
          terima kasih .. tapi|masih|mohon; thank you|thanks .. but|however|still; masih|tetap .. seperti|meski;
          saya|kami balas|jawab; menurut saya|kami .. belum; proses|penanganan .. mana;
          masih belum|tetap .. juga; kata .. selesai|beres|kelar; email|laporan|surat .. ketiga|keempat|kelima
        3: sudah|pernah|telah|kali .. lapor|laporkan|dilaporkan|email|mengadu; laporan|tiket|ticket|report|
          surat|email|pengajuan saya|kami|sebelum|terdahulu|kemarin; last email|mail|week;
          my|our previous|earlier|report|last|ticket; dihitung ulang; permintaan .. bawah; belum juga; kabar;
          proses; ada kabar
        2: tiket|ticket; terlampir|attached; bisa|hari <day>; <day> .. jam|pagi|siang|sore|at; tetap;
          baik kak|pak|bu|mbak|mas; status; saya ambil; kerja|pekerjaan .. tuntas;
          nanti|akan ada|menyusul tim|lain; dilanjutkan; sudah .. kirim bukti; kapan .. selesai|datang|diantar;
          saya balas; pengganti; reply; masih|tetap mati|down|offline
        -3: tanya; <want> pasang
        -4: tidak tahu alamat lain; no other address; using reply; saya balas di sini
    """,
    "thanks": """
        5: sudah <back>|perbaiki lagi|kembali|semua|sekarang; makasih|terima kasih banyak|info|bantuan|kepada|
          telkom|tv|sudah|informasi|sanget|pisan; thank you so|very|for; many thanks for; no further action;
          puji tuhan|alhamdulillah; ucapan|apresiasi terima|kasih|kepada;
          working|works|back|clear again|now|perfectly|normal;
          has|have been|is|are resolved|solved|fixed|arrived; berfungsi normal|kembali|baik;
          sudah tidak .. lagi; terima kasih atas penjelasan|info|informasi|bantuan|jawaban|balasan;
          baik|ok|oke|siap terima|makasih|thanks; noted
        4: iya|ya|betul .. sudah normal|beres|nyala|lancar; sudah datang .. bagus|rapi|baik; berjalan lancar;
          kerja|pekerjaan bagus|rapi
        3: sukses selalu|terus|ya; sangat membantu|puas|terbantu; memuaskan; mantap*; ramah|sigap|gercep;
          appreciate*; penghargaan|apresiasi; sudah <back>|masuk|kami_terima|saya_terima; tuhan memberkati;
          selamat bekerja; sehat; wonderful|excellent|great|kind; silakan|bisa|boleh ditutup; sip|oke|siap;
          cepat; quick|fast|prompt help|response|service|repair; thanks|thank_you .. answer*|helpful|info|help|
          reply|quick|everything; have a nice day; good job
        1: terima kasih; makasih; thank you; thanks
        -3: <ask> .. <repair>; <ask> .. diproses|dibantu|kirim|bantu*|informasi|info|petunjuk|tell|send|check|
          look; ?; berapa; saya|kami minta|mau|mohon; kecewa; belum; masih; apakah|bagaimana|how; mohon; tolong
        -5: tapi|sekarang|cuma|hanya .. mati|lagi|telepon|berdengung|lambat|putus|belum|gantian;
          <ask> .. perbaiki|cek; tidak bisa|ada
        -6: sekalian|oh_ya|satu_lagi .. <want>|minta|tanya; <want> naik|upgrade|pasang|pindah|tambah|berhenti
    """,
    "irrelevant": """
        6: pinjaman dana|online|modal; tanpa jaminan; undian|pemenang|lottery|jackpot;
          verify your account|identity|mailbox; ignore|disregard .. instructions; pln|idpel;
          jasa .. blast|massal|seo|pembuatan|website|desain; stok terbatas;
          mailbox .. full|exceeded|storage|quota; abaikan .. minat|instruksi; slot gacor;
          salah kirim|alamat|orang; login|masuk|klik|click .. http|link;
          freight|forwarder|supplier|shipping|manufacturer; competitive|best rates|prices;
          uang kontrakan|sewa|arisan; masukkan .. otp|pin|kartu; nomor anda ~ mendapat|terpilih|memenangkan;
          cek tunai; pin atm; distributor|supplier|agen .. menawarkan|harga|offer; menawarkan; gratis ongkir;
          katalog terlampir; wali murid|kelas; rapat komite|warga|rt
        4: listrik .. mati|padam; arisan|rapat_rt; suspended .. click|verify; click .. link|here; bank details;
          nasi|pesanan|dp|katering|catering; order|pesan|beli|daftar sekarang; klik link|tautan|disini; hadiah;
          promo akhir|spesial|gila; override; lowongan|lamaran|magang|cv_saya; proposal|sponsorship;
          unsubscribe; investasi|invest|crypto|trading|forex; diskon|discount; guest post|backlink*;
          omzet|omset; kami menawarkan; we offer; kami .. jasa; increase your;
          dear user|winner|friend|beneficiary; system prompt|override; dana hibah|talangan; melamar;
          memohon dukungan; selamat anda|kepada|nomor; congratulations; biaya administrasi
        3: we are a|an .. from; dear sir .. offer; catalogue
        2: gratis; cair; bunga; kode pin; jaminan; web mail; terpilih; password .. expire*;
          hubungi|wa admin|kami; terbaik; profit; klik; buruan
        -8: kena tipu; apakah|ini resmi|benar|betul; saya|kami menerima wa|sms|telepon; sales .. menawarkan;
          ditawari|ditawarkan
    """,
}

PRODUCTS = {
    "astinet": "4: astinet; dedicated internet; internet dedicated; dedicated line",
    "vpn_ip": "4: vpn ip; vpn; vpnip",
    "metro_ethernet": "4: metro ethernet|e; metroe; metro ethernet; metronet",
    "managed_wifi": "4: managed wifi; wifi managed|manage; wifi .. alat .. diurus; wifi managed service; wifi id; wms",
    "hosting": """
        4: hosting; domain; webmail; imap; cloud; vps; cpanel; email .. perusahaan|kantor|dinas|domain|koperasi;
          website .. kami|terbuka|mati|down; colocation
        -8: domain .. saya tinggal
    """,
    "mobile": """
        4: telkomsel; kartu halo|as|tri|xl|axis|three; simpati; roaming; paket data; by u; indosat; im3;
          smartfren; pulsa
    """,
    "indihome_tv": """
        4: tv; televisi; useetv; stb; set top box; siaran; channel*; kanal; 3p; triple play; decoder; minipack;
          dekoder; dengan|plus|and|dan|sama|internet|tambah tv
        -4: tanpa tv; without tv
    """,
    "telephony": """
        4: telepon .. rumah|kantor|kresek*|suara*|berdengung|mati|keluar|error|bermasalah|rusak|bunyi|putus*;
          telepon|telephone rumah|kantor|sekolah|igd|toko|klinik|hotel <no>|di|dan|atau|sareng|022|021|darurat;
          saluran|pesawat|jaringan|tagihan|sambungan|line|nomor telepon; tidak bisa nelepon; landline; 3p;
          telepon sudah; panggilan; dan|serta|and|sareng telepon|telephone|phone; telephone;
          telepon .. dipindah|front; home|office|house|our phone; lawan bicara; dial tone; triple play;
          fixed line; phone line|is; pstn; kresek*; nada sambung; pots
        -12: nomor telepon .. penipu|tidak dikenal; telepon dulu|dahulu|heula; menutup telepon;
          <no> telepon .. kabar; telepon seluler; phone number of
    """,
    "indihome_internet": """
        4: internet; wifi; modem; ont; router; jaringan; mbps; fibre|fiber; los; connection; broadband; isolir;
          lambat; indihome|myindihome
        -4: tv indihome; indihome tv
        -8: internet .. <works>; internet .. masih|tetap <works>; tiang; staff|petugas .. kasar
    """,
}
"""A product counts if its phrases reach 4."""

URGENCY = {
    "critical": """
        10: puskesmas|igd|ugd|icu|darurat|hospital|rumah_sakit|pasien|patients|ambulans|ambulance|emergency|
          pemadam|damkar|polsek|polres|bpbd|rs|rsud|klinik_24 ~ mati|down|antre|putus|offline|dihubungi|manual|
          menghubungi|panggilan|lumpuh|dead|terputus|diblokir|diisolir|isolir; hotel|kantor|pabrik|toko|office|
          branch|site|everything|outlet|restoran|minimarket|gudang|plant|factory|warehouse|store|bandara|
          terminal|kelurahan|disdukcapil ~ offline|down|berhenti|tutup|lumpuh|dead|mati_total|closed|stop;
          jatuh|terjatuh|tersangkut|tersengat|kecelakaan|celaka|tertimpa|injur*|electrocut*|kesetrum|percikan|
          sparks|korsleting; setinggi leher|kepala|dada;
          membahayakan|bahaya|berbahaya|danger*|keselamatan|hazard; seluruh|semua|all cabang|pasien|outlet|
          kantor|pabrik|operasional|operations|branches|transaksi; roboh|fallen|tumbang
    """,
    "high": """
        8: besok pagi|siang|sore|malam|pukul|jam|langsung|harus|mau|pindah|ujian|ada|dimulai|deadline|sudah;
          hari ini juga|sebelum; sebelum|paling_lambat|deadline|harus|maksimal|selambat_lambat|tenggat|
          jatuh_tempo .. besok|hari_ini|nanti|malam_ini|lusa; <ask> .. hari ini;
          memerlukan|butuh|perlu|petunjuk .. hari ini|besok; lusa; pada|untuk|mulai|sampai besok;
          by|before|until|deadline .. today|tomorrow|tonight|noon;
          tomorrow morning|at|afternoon|evening|we|i|is; within 24|48; diblokir|keblokir|terblokir|diisolir|
          isolir|terisolir|terkunci; 1 x 24; 1x24; 2 x 24; 2x24; dalam 24|48; the day after tomorrow;
          needed|need .. today|tomorrow; email|laporan|surat|kontak|kali|telepon|lapor ke|yang|ini 3|4|5|tiga|
          empat|lima|ketiga|keempat|kelima|kesekian; third|fourth|fifth email|time|call|contact|complaint|
          message|letter; email|laporan|surat .. ketiga|keempat|kelima|ke_3|ke_4; ketiga|keempat|kelima kali;
          ke empat|tiga|lima; 3|4|5|tiga|empat|lima kali .. lapor|email|telepon|menghubungi|komplain;
          sudah tiga|empat|lima|3|4|5|3x|4x|5x|berkali kali|lapor|x; kesekian; three|four|five times;
          sudah 3x|4x|5x
        -8: 3 x 24 jam; waktu 3 x
    """,
    "normal": "",
    "low": """
        2: jaga jaga; cuma|hanya mau|tanya; sekadar|sekedar
        -4: tanggal; januari|februari|maret|april|mei|juni|juli|agustus|september|oktober|november|desember;
          minggu depan; saya|my nomor|account|langganan|tagihan
        -8: january|february|march|april|may|june|july|august|september|october|november|december;
          closes|closing|deadline
    """,
}

SEGMENT = {
    "wholesale": """
        6: operator jaringan; network operator|provider; licensed operator|isp|network; carrier; wholesale;
          noc pt; telekomunikasi; other operators; end customer; nni; transit; our|the subscribers;
          penyelenggara jaringan|jasa; olo; telekom; interkoneksi|interconnect; kami|sebagai isp; isp
    """,
    "government": """
        6: dinas; puskesmas; kelurahan; kecamatan; kementerian; negeri; pemerintah; desa; diskominfo;
          sman|smpn|sdn|smkn|man|mtsn; lurah; camat; bupati; walikota; polsek|polres|kodim|polda; rsud;
          kantor urusan; sekolah; madrasah; provinsi|kabupaten|kab|pemkot|pemkab|pemda; bpbd|bps|kpu|bpjs;
          kejaksaan|pengadilan|kejari; embassy; ministry|municipal*|village_office; disdukcapil|bappeda|satpol;
          universitas negeri; badan; sma|smp|sd|smk; kepala sekolah
        -4: perum; masih satu kecamatan; anak .. sekolah|sma|smp|sd; gang; ke kementerian; uang sekolah;
          sekolah daring; ke|lapor kementerian|dinas; rujukan; luar negeri; desa .. kami|saya|m; satu kecamatan;
          village; di desa; dusun
    """,
    "enterprise": """
        8: tbk
        5: bank; group; grup; holding; pabrik|plant|factory; seluruh|semua|our|sub cabang|branches; head of it;
          it infrastructure|operations|network; network engineer|operations; procurement; data center|centre;
          telkom enterprise; regional; asuransi; hotels; stores; cabang kami; kantor cabang; divisi;
          multinational; rs|rsu|hospital
        3: vpn|astinet|metro; rumah sakit; it manager|dept|department; manager; international|internasional;
          corporate|korporat; nasional; kantor pusat; head office; indonesia; director; corp|corporation|ltd
        -5: gaji; transfer .. bank; m banking; bank account; debt; account manager; data pribadi; rekening bank;
          mobile banking; direktur
    """,
    "business": """
        5: cv; toko; warung; outlet; klinik|clinic; hotel; laundry; percetakan; koperasi; apotek; bengkel;
          kafe|cafe|kopi; restoran|restaurant|resto; salon; penginapan|homestay|villa|guesthouse; kasir;
          tamu|guests; usaha; kantor kami|saya; pt; firma; notaris; konveksi; katering; perusahaan kami|saya;
          shop|store|boutique; company; ruko; pelanggan kami|saya; studio; gudang; karyawan kami; umkm;
          workshop; barbershop; bimbel; rental; our|small office|business; edc
        -5: kasir minimarket; convenience store; rumah .. ibu|saya; nasi; blast
    """,
    "consumer": """
        4: rumah saya|kami|mertua|anak|ibu|orang; di rumah; suami|istri|anak|husband|wife|mertua|bapak|children|
          family|keluarga|nenek; my house|home|family|apartment|place; tagihan saya;
          internet|indihome|telepon|wifi|paket saya; rumah; at home;
          my .. bill|internet|indihome|subscription|connection|account; saya pelanggan; moving house; apartment;
          saya pakai; ibu rumah; personal data; data pribadi; kos|kost|kontrakan
        3: indihome; perumahan|perum; tetangga; nik; internet|wifi; house; tv; rt; pribadi; home; wfh;
          game|gaming|push
    """,
    "unknown": "",
}

ESCALATION = {
    "yes": """
        15: kominfo|komdigi|ylki|ombudsman|bpsk|brti; kementerian komdigi|kominfo; kuasa hukum;
          jalur|langkah|upaya|ranah hukum; pengacara|lawyer|lawyers|solicitor|somasi|gugat*|attorney|menggugat|
          legal_action|legal_counsel|court; viral*|media_massa|wartawan|koran|the_press|newspaper|media_sosial|
          medsos|redaksi|sosmed|journalist; regulator|consumer_protection; kantor pusat telkom; telkom pusat;
          perlindungan konsumen; surat pembaca
        12: <ask>|disambungkan|sambungkan|teruskan|diteruskan|dieskalasi*|suruh|bicara|speak|forward|escalat*|
          talk|bertemu|hubungkan|menuntut|nama|want|expect|demand|mau|ketemu .. <boss>; <boss> .. menjawab|
          membalas|menegur|turun_tangan|to_contact|menghubungi; escalate|eskalasi
        -18: informatika
    """,
    "no": "",
}
# the customer answers a letter of ours that the matter is over
SOLVED = {
    "yes": """
        12: sudah|telah|akhirnya|is|are|its|now|all <back> lagi|kembali|again|now; sudah|telah <back>;
          works|working|fine|resolved|solved|fixed again|now; back online|up|to_normal;
          sudah|telah teratasi|beres|selesai|tuntas|terselesaikan|diperbaiki
        -20: belum|tidak|bukan|not|isnt|arent|still|masih|apakah|kapan|when|mohon|tolong|please|but|tapi|tetapi|namun|?
    """,
    "no": "",
}
