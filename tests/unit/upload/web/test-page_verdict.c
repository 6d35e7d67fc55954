/*
 * test-page_verdict.c: the replies that boards give to an upload, as recorded from the genuine
 * servers or read in their sources.
 */
#include "upload/web/page_verdict.h"
#include "upload/web/page_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum page_id page;
    unsigned status;
    const char *body; /* NULL: it did not come */
    enum page_verdict verdict;
    const char *text; /* NULL: any */
} rows[] = {
    {PAGE_ESP8266, 200,
     "<META http-equiv=\"refresh\" content=\"15;URL=/\">Update Success! Rebooting...",
     PAGE_ACCEPTED, NULL},
    {PAGE_ESP8266, 200, "Update error: ERROR[10]: Magic byte is not 0xE9\n", PAGE_REFUSED,
     "Update error: ERROR[10]: Magic byte is not 0xE9"},
    {PAGE_ESP8266, 401, "", PAGE_UNAUTHORIZED, ""},
    {PAGE_ESP8266, 200, NULL, PAGE_UNCLEAR, ""},
    {PAGE_ESP8266, 200, "<html>router</html>", PAGE_UNCLEAR, "router"},
    {PAGE_ESP8266, 404, "Not found: /update", PAGE_ABSENT, "Not found: /update"},
    {PAGE_ESP32, 200, "Update error: Wrong Magic Byte\r\n", PAGE_REFUSED,
     "Update error: Wrong Magic Byte"},
    {PAGE_ESP32, 200, "Update error: Wrong origin received!", PAGE_REFUSED, NULL},
    {PAGE_WEBUPDATER, 200, "OK", PAGE_ACCEPTED, NULL},
    {PAGE_WEBUPDATER, 200, "FAIL", PAGE_REFUSED, "FAIL"},
    {PAGE_WEBUPDATER, 502, "Not Enough Space", PAGE_REFUSED, "Not Enough Space"},
    {PAGE_WEBUPDATER, 200, "Success! Rebooting...", PAGE_ACCEPTED, NULL},
    {PAGE_WEBUPDATER, 200, "look here", PAGE_UNCLEAR, "look here"}, /* "look" has an "ok" in it */
    {PAGE_ELEGANTOTA, 200, "OK", PAGE_ACCEPTED, NULL},
    {PAGE_ELEGANTOTA, 200, " OK\r\n", PAGE_ACCEPTED, NULL},
    {PAGE_ELEGANTOTA, 400, "ERROR[4]: Not Enough Space\n\n", PAGE_REFUSED,
     "ERROR[4]: Not Enough Space"},
    {PAGE_ELEGANTOTA, 500, "FAIL", PAGE_REFUSED, "FAIL"},
    {PAGE_ELEGANTOTA, 401, "", PAGE_UNCLEAR, ""}, /* the synchronous server writes first */
    {PAGE_ASYNC_UPDATER, 200,
     "<meta content=\"15;URL=/\"http-equiv=refresh>Update Success! Rebooting...", PAGE_ACCEPTED,
     NULL},
    {PAGE_ASYNC_UPDATER, 200, "Update error: Bad Size Given\r\n", PAGE_REFUSED, NULL},
    {PAGE_ASYNC_UPDATER, 200, "Update aborted by server.", PAGE_REFUSED, NULL},
    {PAGE_ASYNC_UPDATER, 200, "{\"status\":\"MD5 Check Failed. Rebooting\"}", PAGE_REFUSED, NULL},
    {PAGE_ASYNC, 200, "OK", PAGE_ACCEPTED, NULL},
    {PAGE_ASYNC, 200, "Upload complete", PAGE_ACCEPTED, NULL},
    {PAGE_ASYNC, 200, "FAIL", PAGE_REFUSED, "FAIL"},
    {PAGE_ASYNC, 200, NULL, PAGE_UNCLEAR, ""},
    {PAGE_TASMOTA, 200,
     "<script>setTimeout(function(){location.href='.';},24000);</script>Upload <font "
     "color='#47c266'>Successful</font>",
     PAGE_ACCEPTED, NULL},
    {PAGE_TASMOTA, 200,
     "<script>setTimeout(function(){location.href='.';},10000);</script>Erfolgreich", PAGE_ACCEPTED,
     NULL},
    {PAGE_TASMOTA, 200, "Upload <font color='#ff5661'>Failed</font><br>Not enough space",
     PAGE_REFUSED, "Failed Not enough space"},
    {PAGE_TASMOTA, 200, "Upload fehlgeschlagen<br>Nicht genug Platz", PAGE_REFUSED,
     "Upload fehlgeschlagen Nicht genug Platz"},
    {PAGE_TASMOTA, 401, "", PAGE_UNCLEAR, ""}, /* it writes before it asks */
    {PAGE_WLED, 200, "<h2>Update successful!</h2>Rebooting...", PAGE_ACCEPTED, NULL},
    {PAGE_WLED, 500, "<h2>Update failed!</h2>Wrong release", PAGE_REFUSED,
     "Update failed! Wrong release"},
    {PAGE_WLED, 503, "busy", PAGE_REFUSED, "busy"},
    {PAGE_WLED, 401, "Please unlock", PAGE_UNAUTHORIZED, NULL},
    {PAGE_ESPHOME, 200, "Update Successful!", PAGE_ACCEPTED, NULL},
    {PAGE_ESPHOME, 200, "Update Failed!", PAGE_REFUSED, "Update Failed!"},
    {PAGE_ESPHOME, 411, "", PAGE_REFUSED, ""},
    {PAGE_ESPURNA, 200, "OK", PAGE_ACCEPTED, NULL},
    {PAGE_ESPURNA, 200, "<code>Rebooting...</code>", PAGE_ACCEPTED, NULL},
    {PAGE_ESPURNA, 400, "ERROR: Invalid request", PAGE_REFUSED, "ERROR: Invalid request"},
    {PAGE_SAFEBOOT, 200, "Update Success! Rebooting...", PAGE_ACCEPTED, NULL},
    {PAGE_SAFEBOOT, 500, "Update error: Not Enough Space", PAGE_REFUSED, NULL},
    {PAGE_FORM, 200, "done", PAGE_ACCEPTED, NULL},
    {PAGE_FORM, 200, "An Error occurred", PAGE_REFUSED, "Error occurred"},
    {PAGE_FORM, 413, "", PAGE_REFUSED, ""},
    {PAGE_FORM, 200, "Invalid image", PAGE_REFUSED, "Invalid image"},
    {PAGE_FORM, 200, "Not Enough Space", PAGE_REFUSED, "Not Enough Space"},
    {PAGE_FORM, 200, "{\"status\":\"ok\"}", PAGE_ACCEPTED, NULL},
    {PAGE_ASYNC, 200, " {\"success\": true, \"restart\": false}", PAGE_ACCEPTED, NULL},
    {PAGE_FORM, 200, "{\"message\":\"Update complete, rebooting\"}", PAGE_ACCEPTED, NULL},
    {PAGE_FORM, 200, "{\"Success\":false,\"m\":\"complete\"}", PAGE_REFUSED, NULL},
    {PAGE_FORM, 200, "{\"status\":\"2\"}", PAGE_UNCLEAR, "{\"status\":\"2\"}"}, /* cancelled */
    {PAGE_FORM, 200, "{\"status\":\"no file\"}", PAGE_UNCLEAR, NULL},
    {PAGE_FORM, 200, "{\"status\":\"canceled\"}", PAGE_REFUSED, "{\"status\":\"canceled\"}"},
    {PAGE_FORM, 200, "{\"status\":\"NOK\"}", PAGE_REFUSED, NULL},
    {PAGE_FORM, 200, "{\"status\":\"not done\"}", PAGE_UNCLEAR, NULL},
    {PAGE_FORM, 200, "{\"m\":\"incomplete\"}", PAGE_REFUSED, NULL},
    {PAGE_FORM, 200, "{\"success\":\"true\"}", PAGE_ACCEPTED, NULL},
    {PAGE_FORM, 200, "{\"status\":200,\"success\":1}", PAGE_ACCEPTED, NULL},
    {PAGE_FORM, 200, "{\"message\":\"Firmware updated\"}", PAGE_ACCEPTED, NULL},
    {PAGE_FORM, 200, "\xef\xbb\xbf{\"status\":\"uploaded\"}", PAGE_ACCEPTED, NULL},
    {PAGE_FORM, 200, "\xef\xbb\xbf{\"status\":\"2\"}", PAGE_UNCLEAR, NULL},
    {PAGE_FORM, 200, "{\"success\":\"false\",\"message\":\"Upload done\"}", PAGE_REFUSED, NULL},
    {PAGE_FORM, 200, "{\"ok\":0,\"message\":\"upload finished\"}", PAGE_REFUSED, NULL},
    {PAGE_FORM, 200, "{\"success\":null,\"m\":\"rebooting\"}", PAGE_UNCLEAR, NULL},
    {PAGE_FORM, 200, "{\"result\":\"2\",\"file\":\"complete.bin\"}", PAGE_UNCLEAR, NULL},
    {PAGE_FORM, 200, "{\"m\":\"Rejected. Rebooting with the old one\"}", PAGE_REFUSED, NULL},
    {PAGE_FORM, 200, "[OTA] written", PAGE_ACCEPTED, NULL},
    {PAGE_FORM, 200, "{\"success\":true", PAGE_UNCLEAR, NULL}, /* not JSON in the end */
    {PAGE_FORM, 302, "<meta http-equiv='refresh' content='0; url=/login'>", PAGE_UNCLEAR, ""},
    {PAGE_FORM, 200, "Wi-Fi: <input type='password' name='key'>", PAGE_ACCEPTED, NULL},
};

static void test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply reply = {
            .status = rows[i].status, .has_head = true, .has_ended = rows[i].body != NULL};
        char text[PAGE_TEXT_MAX];

        if (rows[i].body && *rows[i].body)
            assert_true(http_reply_add_body(&reply, rows[i].body, strlen(rows[i].body)));
        enum page_verdict verdict = page_judge(text, &pages[rows[i].page], 0, &reply);
        if (verdict != rows[i].verdict)
            fail_msg("row %zu: verdict %d", i, (int)verdict);
        if (rows[i].text)
            assert_string_equal(text, rows[i].text);
        http_reply_clear(&reply);
    }
}

/* What hand-made sketches answer with status 200, as found in public repositories, and what is like
 * it: status 0 needs a board that says so. */
static const struct {
    const char *body;
    enum page_verdict form, webupdater;
} said[] = {
    /* plain text of a success */
    {"", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"success", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"OK - reboot", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"Update OK. Rebooting...", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"UPDATE SUCCESSFUL! Rebooting...", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"Data has uploaded successfully, will be rebooted!", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"<h1>Nefry Update</h1><p>Upload Success</p>", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"Atualizacao efetuada com sucesso!", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"Uploaded:&nbsp; 1F<br>Update complete, Rebooting. MD5: 1f", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"MD5: 1f2e3d", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"MD5 Check Failed", PAGE_REFUSED, PAGE_REFUSED},
    {"Success. Do not power off", PAGE_ACCEPTED, PAGE_ACCEPTED},
    /* the updater's own words for a failure: text/plain with Update.errorString() */
    {"Could Not Activate The Firmware", PAGE_REFUSED, PAGE_REFUSED},
    {"Wrong Magic Byte", PAGE_REFUSED, PAGE_REFUSED},
    {"Magic byte is not 0xE9\n", PAGE_REFUSED, PAGE_REFUSED},
    {"Bad Size Given", PAGE_REFUSED, PAGE_REFUSED},
    {"Stream Read Timeout", PAGE_REFUSED, PAGE_REFUSED},
    {"<p>Partition Could Not be Found</p>", PAGE_REFUSED, PAGE_REFUSED},
    {"Bad Argument", PAGE_REFUSED, PAGE_REFUSED},
    {"Aborted", PAGE_REFUSED, PAGE_REFUSED},
    {"Flash config wrong: real: 100 SDK: 200", PAGE_REFUSED, PAGE_REFUSED},
    {"No data supplied", PAGE_REFUSED, PAGE_REFUSED},
    {"UNKNOWN", PAGE_UNCLEAR, PAGE_UNCLEAR},
    /* other words */
    {"Rejected", PAGE_REFUSED, PAGE_REFUSED},
    {"NOK", PAGE_REFUSED, PAGE_REFUSED},
    {"KO", PAGE_REFUSED, PAGE_REFUSED},
    {"Update unsuccessful", PAGE_REFUSED, PAGE_REFUSED},
    {"Upload done: denied", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"not enough space", PAGE_REFUSED, PAGE_REFUSED},
    {"An error occurred", PAGE_REFUSED, PAGE_REFUSED},
    {"<h1>No success</h1>", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Do not power off! Rebooting", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"Don't close this page. Update complete", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"Actualizado. No apague", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"result\":\"no\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"message\":\"No file uploaded\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"result\":\"No data received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"msg\":\"No update was written\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"message\":\"Update complete: no\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"done: no\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"No file uploaded", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"No data received", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"No sketch was flashed", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Nothing uploaded", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Updated: no", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Update finished: no", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"updated\":false,\"status\":200,\"message\":\"OK\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":200,\"message\":\"Update received\",\"written\":0}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"ok\":true,\"updated\":false}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"result\":\"ok\",\"update\":{\"written\":false,\"complete\":false}}", PAGE_UNCLEAR,
     PAGE_UNCLEAR},
    {"{\"ok\":true,\"rejected\":true}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"status\":\"success\",\"incomplete\":true}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"success\":true,\"restart\":\"no\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"success\":true,\"rebootRequired\":\"false\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"status\":\"success\",\"result\":{\"filesystem\":\"unchanged\",\"encrypted\":\"no\"}}",
     PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"status\":\"ok\",\"lang\":\"ko\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"success\":true,\"hostname\":\"bad-lamp\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"ok\":true,\"mqtt\":\"refused\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"success\":true,\"message\":\"Rebooting\",\"note\":\"wrong time zone\"}", PAGE_UNCLEAR,
     PAGE_UNCLEAR},
    {"{\"success\":true,\"status\":\"installed\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"Upgrade OK. If something goes wrong, press reset.", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"EN DE KO Update complete", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Firmware installed. If the page does not reload by itself, click here.", PAGE_ACCEPTED,
     PAGE_UNCLEAR},
    {"You will be redirected. If not, click here.", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"MQTT: not connected. Update complete", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Reset reason: unknown<br>Update complete", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"T: 23 C, update complete", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"Restart without delay", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"The update could not be completed", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Can't complete the update", PAGE_UNCLEAR, PAGE_UNCLEAR},
    /* an error, or a denial, beside a word of success; a restart is none */
    {"Could Not Activate The Firmware. Rebooting...", PAGE_REFUSED, PAGE_REFUSED},
    {"<h1>Update</h1><p>Bad Argument.</p>Restarting", PAGE_REFUSED, PAGE_REFUSED},
    {"Aborted. Rebooting", PAGE_REFUSED, PAGE_REFUSED},
    {"Upload done: Wrong Magic Byte", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Update didn\xe2\x80\x99t complete", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Update didn&#39;t complete", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Don&rsquo;t power off. Update complete", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"Update not started. OK", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Update completed? No.", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Updated: No (another chip)", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Success: 0", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"success=0", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"0 bytes written", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"120 bytes written", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"Success 100%", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"None of the bytes were written", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Success: no.", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"ko.", PAGE_REFUSED, PAGE_REFUSED},
    {"NG!", PAGE_REFUSED, PAGE_REFUSED},
    /* trouble without a word of success */
    {"Wrong firmware file", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Bad image", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Not allowed", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Unknown file type", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"File too large", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Login required", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"If not successful", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Update partly completed", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"Checksum mismatch", PAGE_REFUSED, PAGE_REFUSED},
    {"Update stopped", PAGE_REFUSED, PAGE_REFUSED},
    {"Update Err", PAGE_REFUSED, PAGE_REFUSED},
    {"Update KO", PAGE_REFUSED, PAGE_REFUSED},
    {"Incompatible firmware", PAGE_REFUSED, PAGE_REFUSED},
    {"Insufficient space", PAGE_REFUSED, PAGE_REFUSED},
    {"Update Finished: 0", PAGE_ACCEPTED, PAGE_UNCLEAR},
    /* other languages */
    {"Falha na atualiza\xc3\xa7\xc3\xa3o!", PAGE_REFUSED, PAGE_REFUSED},
    {"FEHLER beim Flashen", PAGE_REFUSED, PAGE_REFUSED},
    {"\xc3\x89"
     "chec de la mise \xc3\xa0 jour",
     PAGE_REFUSED, PAGE_REFUSED},
    {"\xd0\x9e\xd1\x88\xd0\xb8\xd0\xb1\xd0\xba\xd0\xb0", PAGE_REFUSED, PAGE_REFUSED},
    {"\xe6\x9b\xb4\xe6\x96\xb0\xe5\xa4\xb1\xe8\xb4\xa5", PAGE_REFUSED, PAGE_REFUSED},
    {"\xe6\x9b\xb4\xe6\x96\xb0\xe6\x88\x90\xe5\x8a\x9f!", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"\xd0\x93\xd0\xbe\xd1\x82\xd0\xbe\xd0\xb2\xd0\xbe 1", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"{\"ok\":true,\"error\":\"\xe5\x86\x99\xe5\x85\xa5\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"success\":true,\"error\":\"!\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"status\":\"\xe9\x94\x99\xe8\xaf\xaf 1\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"status\":\"\xe9\x94\x99 1\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    /* members that take a success back */
    {"{\"status\":\"ok\",\"err\":4}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"ret\":-1,\"msg\":\"received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"success\":true,\"statusCode\":\"500\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"success\",\"message\":\"\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"ok\":true,\"error\":null,\"message\":null}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"status\":\"ok\",\"update_available\":false}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"success\":true,\"message\":\"Image rejected: another chip\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"ok\",\"message\":\"update was refused\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"OK\",\"msg\":\"aborted\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"OK\",\"Message\":\"No file received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"success\",\"message\":\"nothing written\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"ok\",\"firmware\":\"incomplete\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"message\":\"Bad Argument\",\"status\":\"done\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"status\":\"Not Enough Space. Rebooting\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"ok\":true,\"updated\":\"false\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"ok\":true,\"flashed\":\"\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"updated\":\"no\",\"message\":\"received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"update\":\"no\",\"sd\":\"ok\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"result\":{\"flashed\":\"no\"},\"message\":\"received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"updateOk\":false,\"message\":\"upload done\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"isSuccessful\":false,\"message\":\"received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"notUpdated\":true,\"message\":\"received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"aborted\":\"true\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"rejected\":\"yes\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"rejected\":1,\"message\":\"upload done\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"login_required\":\"true\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"wifi\":\"ok\",\"heap\":1234}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"ota\":\"disabled\",\"sd\":\"ok\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"message\":\"OK\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"updateStatus\":\"ok\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"success\":true,\"error\":\"none\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"results\":[\"ok\",\"no\"]}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"result\":[\"false\",\"ok\"]}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"status\":\"1\"}", PAGE_UNCLEAR, PAGE_UNCLEAR}, /* failed, in ESP3D and Grbl_Esp32 */
    {"{\"status\":\"3\"}", PAGE_UNCLEAR, PAGE_UNCLEAR}, /* and this is its success */
    {"{\"status\":1}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"result\":\"1\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"success\":\"1\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"Mise \xc3\xa0 jour \xc3\xa9"
     "chou\xc3\xa9"
     "e!",
     PAGE_REFUSED, PAGE_REFUSED},
    {"CAP NHAT THAT BAI", PAGE_REFUSED, PAGE_REFUSED},
    {"CHYBA pri aktualizacii", PAGE_REFUSED, PAGE_REFUSED},
    {"HATA", PAGE_REFUSED, PAGE_REFUSED},
    {"\xd0\x9f\xd0\x9e\xd0\x9c\xd0\x98\xd0\x9b\xd0\x9a\xd0\x90", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"needs_update\":\"yes\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"code\":500,\"message\":\"received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"code\":200,\"message\":\"received\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"success\":[],\"msg\":\"received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"updated\":{},\"msg\":\"received\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"state\":false,\"message\":\"upload done\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"[{\"success\":1},]", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"<script>success: done</script>", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"<script>alert('Update failed')</script>", PAGE_REFUSED, PAGE_REFUSED},
    /* JSON that says yes */
    {"{\"ok\":true}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"ok\":true,\"rebooting\":false,\"awaiting_assets\":true}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"ok\":true,\"result\":\"accepted\",\"bytes_written\":9}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"status\":true,\"error\":0}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"error\":false,\"message\":\"Update complete\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"status\":\"success\",\"error\":null}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"status\":\"success\",\"error\":\"\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"success\":true,\"errors\":[],\"failed\":{}}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"status\":200,\"message\":\"Update OK\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"message\":\"Update complete. Do not power off\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"success\":true,\"message\":\"Do not power off\"}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"message\":\"Flash OK, no reboot needed\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"updated\":true}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"{\"update\":{\"success\":true}}", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"[{\"success\":true}]", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"true", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"\"OK\"", PAGE_ACCEPTED, PAGE_ACCEPTED},
    /* JSON that says no */
    {"{\"success\":false}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"success\":false,\"message\":\"not enough space\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"status\":false,\"error\":9}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"success\":true,\"error\":\"begin\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"errors\":[\"begin\"],\"m\":\"done\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"success\":true,\"message\":\"Update failed\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"result\":\"unsuccessful\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"message\":\"Could Not Activate The Firmware\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"status\":\"ok\",\"success\":0}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"update\":{\"success\":false},\"message\":\"done\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"[[{\"success\":false}],{\"success\":true}]", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"message\":\"Update is incomplete, press OK\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"false", PAGE_REFUSED, PAGE_REFUSED},
    /* JSON that says neither */
    {"{\"message\":\"cannot complete the update: flash full\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"unable to complete\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"result\":\"ok\",\"success\":\"no\"}", PAGE_REFUSED, PAGE_REFUSED},
    {"{\"status\":\"not yet\",\"success\":true}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":\"2\",\"ok\":true}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"status\":500,\"message\":\"Update OK\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"result\":0,\"message\":\"OK\"}", PAGE_UNCLEAR, PAGE_UNCLEAR}, /* it is both in use */
    {"{\"status\":\"2\",\"status\":\"OK\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"m\":\"Update complete\",\"n\":\"not rebooting\"}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"restart\":true}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"[{\"status\":\"2\"}]", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"null", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"0", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"{\"success\":True}", PAGE_UNCLEAR, PAGE_UNCLEAR},
    /* the page for uploads, again: only what it shows counts */
    {"<form><input type='file' name='update'></form>", PAGE_UNCLEAR, PAGE_UNCLEAR},
    {"<INPUT name=fw TYPE=\"FILE\"><script>({success: f, error: g})</script>", PAGE_UNCLEAR,
     PAGE_UNCLEAR},
    {"Update Success<form><input type = file name=update>", PAGE_ACCEPTED, PAGE_ACCEPTED},
    {"Update done<form><input type='file' name='update'>", PAGE_ACCEPTED, PAGE_UNCLEAR},
    {"Update failed<form><input type='file' name='update'>", PAGE_REFUSED, PAGE_REFUSED},
};

static void test_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof *said * 2; i++) {
        const char *body = said[i / 2].body;
        const struct page *page = &pages[i % 2 ? PAGE_WEBUPDATER : PAGE_FORM];
        struct http_reply reply = {.status = 200, .has_head = true, .has_ended = true};
        char text[PAGE_TEXT_MAX];

        if (*body)
            assert_true(http_reply_add_body(&reply, body, strlen(body)));
        enum page_verdict verdict = page_judge(text, page, 0, &reply);
        if (verdict != (i % 2 ? said[i / 2].webupdater : said[i / 2].form))
            fail_msg("%s, %s: verdict %d", page->name, body, (int)verdict);
        http_reply_clear(&reply);
    }
}

/* A page of a firmware with the words of its row has them where it shows them, or in its code; an
 * upload page has no verdict in its code. */
static void test_page_again(void **state)
{
    static const struct {
        enum page_id page;
        const char *body;
        enum page_verdict verdict;
    } replies[] = {
        {PAGE_ESP8266, "<script>'Update Success'</script>", PAGE_UNCLEAR},
        {PAGE_ESPHOME, "Not Update Unsuccessful", PAGE_UNCLEAR},
        {PAGE_TASMOTA, "<script>location.href='.'</script>x", PAGE_ACCEPTED},
        {PAGE_TASMOTA, "<script>location.href='.'</script>x<input type='file' name='u2'>",
         PAGE_UNCLEAR},
        {PAGE_WLED, "<script>'Update failed'</script><input type='file' name='update'>",
         PAGE_UNCLEAR},
        {PAGE_WIFIMANAGER, "<div class='msg S'>x", PAGE_ACCEPTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct http_reply reply = {.status = 200, .has_head = true, .has_ended = true};
        char text[PAGE_TEXT_MAX];

        assert_true(http_reply_add_body(&reply, replies[i].body, strlen(replies[i].body)));
        if (page_judge(text, &pages[replies[i].page], 0, &reply) != replies[i].verdict)
            fail_msg("%s", replies[i].body);
        http_reply_clear(&reply);
    }
}

/* What the page says anyway proves nothing when it comes again, whatever else has changed in it. */
static void test_same_page(void **state)
{
    static const char before[] = "Up for 59 s. Wait for \"Update complete\", or OK; restart if it "
                                 "failed. Last updated on Monday.";
    static const struct {
        const char *body;
        enum page_verdict verdict;
    } replies[] = {
        {"Up for 1 minute. Wait for \"Update complete\", or OK; restart if it failed. Last updated "
         "on Tuesday.<form><input type='file' name='fw'></form>",
         PAGE_UNCLEAR},
        {"Update complete<form><input type='file' name='fw'></form>", PAGE_UNCLEAR},
        {"Update successful. Wait for \"Update complete\", or OK. Last updated now: true, done."
         "<form><input type='file' name='fw'></form>",
         PAGE_ACCEPTED},
        {"Update error. Wait for \"Update complete\", or OK; restart if it failed. Last updated on "
         "Monday.<form><input type='file' name='fw'></form>",
         PAGE_REFUSED},
    };
    const size_t count = page_count_verdicts(before);

    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct http_reply reply = {.status = 200, .has_head = true, .has_ended = true};
        char text[PAGE_TEXT_MAX];

        assert_true(http_reply_add_body(&reply, replies[i].body, strlen(replies[i].body)));
        if (page_judge(text, &pages[PAGE_FORM], count, &reply) != replies[i].verdict)
            fail_msg("%s", replies[i].body);
        http_reply_clear(&reply);
    }
}

/* A bare "OK" may be the beginning of more if the reply broke off. Other words cannot. */
static void test_cut_body(void **state)
{
    static const struct {
        enum page_id page;
        const char *header, *body;
        enum page_verdict verdict;
    } cuts[] = {
        {PAGE_ELEGANTOTA, "Content-Length: 39", "OK", PAGE_UNCLEAR},
        {PAGE_WEBUPDATER, "Content-Length: 3", " OK", PAGE_ACCEPTED},
        {PAGE_WEBUPDATER, "Content-Length: 14", "Success", PAGE_UNCLEAR}, /* ": false" */
        {PAGE_WEBUPDATER, "Content-Length: 7", "Success", PAGE_ACCEPTED},
        {PAGE_ESPURNA, "Transfer-Encoding: chunked", "OK", PAGE_UNCLEAR},
        {PAGE_ESPURNA, "Connection: close", "OK\r\n",
         PAGE_ACCEPTED}, /* it ends with the connection */
        {PAGE_ESPURNA, "Content-Encoding: gzip", "OK", PAGE_UNCLEAR},
        {PAGE_ESPURNA, "Content-Length: 39", "Rebooting", PAGE_ACCEPTED},
        {PAGE_ELEGANTOTA, "Content-Length: 39", "Update Success", PAGE_ACCEPTED},
        {PAGE_ELEGANTOTA, "Content-Length: 39", "Update Succ", PAGE_UNCLEAR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct http_reply reply = {.status = 200};
        char text[PAGE_TEXT_MAX];

        http_reply_add_line(&reply, cuts[i].header, strlen(cuts[i].header));
        http_reply_add_line(&reply, "\r\n", 2);
        assert_true(http_reply_add_body(&reply, cuts[i].body, strlen(cuts[i].body)));
        if (page_judge(text, &pages[cuts[i].page], 0, &reply) != cuts[i].verdict)
            fail_msg("row %zu", i);
        http_reply_clear(&reply);
    }
}

/* "OK" and more blanks than are read: what follows them is not known. */
static void test_body_over_the_limit(void **state)
{
    static char body[HTTP_BODY_MAX + 1] = "OK";
    struct http_reply reply = {.status = 200, .has_head = true};
    char text[PAGE_TEXT_MAX];

    (void)state;
    memset(body + 2, ' ', sizeof body - 2);
    assert_false(http_reply_add_body(&reply, body, sizeof body));
    assert_int_equal(page_judge(text, &pages[PAGE_ELEGANTOTA], 0, &reply), PAGE_UNCLEAR);
    http_reply_clear(&reply);
}

/* No status is a verdict without the rest of the head, on no page, even if the connection was
 * closed in good order. */
static void test_cut_head(void **state)
{
    static const unsigned statuses[] = {100, 200, 204, 302, 307, 401, 404, 500};
    static const char *const lines[] = {"", "Location: /\r\n", "Content-Length: 0\r\n"};
    enum { STATUSES = sizeof statuses / sizeof *statuses, LINES = sizeof lines / sizeof *lines };

    (void)state;
    for (size_t i = 0; i < (size_t)PAGE_COUNT * STATUSES * LINES; i++) {
        struct http_reply reply = {.status = statuses[i / LINES % STATUSES], .has_ended = true};
        const char *line = lines[i % LINES];
        char text[PAGE_TEXT_MAX];

        http_reply_add_line(&reply, line, strlen(line));
        reply.has_head = false;
        if (page_judge(text, &pages[i / LINES / STATUSES], 0, &reply) != PAGE_UNCLEAR)
            fail_msg("%s, status %u, %s", pages[i / LINES / STATUSES].name, reply.status, line);
    }
}

/* A compressed page is longer than its head says, so that its length does not show that it is
 * whole. */
static void test_cut_compressed_body(void **state)
{
    static const char *const head[] = {"Content-Length: 9", "Content-Encoding: gzip", ""};
    struct http_reply reply = {.status = 200};
    char text[PAGE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        http_reply_add_line(&reply, head[i], strlen(head[i]));
    assert_true(http_reply_add_body(&reply, "<title>Update</title>", 21));
    assert_int_equal(page_judge(text, &pages[PAGE_FORM], 0, &reply), PAGE_UNCLEAR);
    reply.has_ended = true;
    assert_int_equal(page_judge(text, &pages[PAGE_FORM], 0, &reply), PAGE_ACCEPTED);
    http_reply_clear(&reply);
}

/* Words of failure count wherever they stand. */
static void test_nul_in_body(void **state)
{
    struct http_reply reply = {.status = 200, .has_head = true, .has_ended = true};
    char text[PAGE_TEXT_MAX];

    (void)state;
    assert_true(http_reply_add_body(&reply, "done\0FAIL", 9));
    assert_int_equal(page_judge(text, &pages[PAGE_FORM], 0, &reply), PAGE_REFUSED);
    http_reply_clear(&reply);
    assert_true(http_reply_add_body(&reply,
                                    "\xff\xfe"
                                    "f\0a\0i\0l\0e\0d",
                                    14)); /* UTF-16 */
    assert_int_equal(page_judge(text, &pages[PAGE_FORM], 0, &reply), PAGE_REFUSED);
    http_reply_clear(&reply);
}

/* Over TLS, only what the head says of the length shows that a reply is whole. */
static void test_tls(void **state)
{
    static const struct {
        enum page_id page;
        const char *header, *body;
        enum page_verdict verdict;
    } replies[] = {
        {PAGE_FORM, "Connection: close", "", PAGE_UNCLEAR},
        {PAGE_FORM, "Connection: close", "done", PAGE_UNCLEAR},
        {PAGE_FORM, "Content-Length: 4", "done", PAGE_ACCEPTED},
        {PAGE_FORM, "Transfer-Encoding: chunked", "done", PAGE_ACCEPTED},
        {PAGE_ESPURNA, "Connection: close", "OK", PAGE_UNCLEAR},
        {PAGE_ESPURNA, "Content-Length: 2", "OK", PAGE_ACCEPTED},
        {PAGE_ESP8266, "Connection: close", "Update Success!", PAGE_ACCEPTED},
        {PAGE_ESP8266, "Connection: close", "Update error: x", PAGE_REFUSED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct http_reply reply = {.is_tls = true, .status = 200};
        char text[PAGE_TEXT_MAX];

        http_reply_add_line(&reply, replies[i].header, strlen(replies[i].header));
        http_reply_add_line(&reply, "", 0);
        assert_true(http_reply_add_body(&reply, replies[i].body, strlen(replies[i].body)));
        reply.has_ended = true;
        if (page_judge(text, &pages[replies[i].page], 0, &reply) != replies[i].verdict)
            fail_msg("row %zu", i);
        http_reply_clear(&reply);
    }
}

static void test_refresh(void **state)
{
    struct http_reply reply = {.status = 200, .has_head = true, .has_ended = true, .refresh = "/"};
    char text[PAGE_TEXT_MAX];

    (void)state;
    assert_int_equal(page_judge(text, &pages[PAGE_FORM], 0, &reply), PAGE_ACCEPTED);
    snprintf(reply.refresh, sizeof reply.refresh, "/Login");
    assert_int_equal(page_judge(text, &pages[PAGE_FORM], 0, &reply), PAGE_UNCLEAR);
}

/* A redirect after an upload to a page that has no words of its own. */
static void test_redirects(void **state)
{
    static const struct {
        enum page_id page;
        unsigned status;
        const char *location;
        enum page_verdict verdict;
    } redirects[] = {
        {PAGE_ASYNC, 303, "/", PAGE_ACCEPTED},
        {PAGE_FORM, 302, "done.html", PAGE_ACCEPTED},
        {PAGE_FORM, 302, "", PAGE_UNCLEAR},
        {PAGE_FORM, 302, "/Login?next=/", PAGE_UNCLEAR},
        {PAGE_FORM, 302, "/update?result=FAILED", PAGE_UNCLEAR},
        {PAGE_ASYNC, 303, "/error.html", PAGE_UNCLEAR},
        {PAGE_FORM, 302, "http://192.168.4.1/", PAGE_UNCLEAR},
        {PAGE_FORM, 302, "//other/", PAGE_UNCLEAR},
        {PAGE_FORM, 302, "/\\other/", PAGE_UNCLEAR},
        {PAGE_FORM, 302, "\\\\other", PAGE_UNCLEAR},
        {PAGE_FORM, 302, "http:other", PAGE_UNCLEAR},
        {PAGE_FORM, 302, "/done?at=12:30", PAGE_ACCEPTED},
        {PAGE_FORM, 301, "/", PAGE_UNCLEAR},
        {PAGE_FORM, 304, "/", PAGE_UNCLEAR},
        {PAGE_FORM, 307, "/", PAGE_UNCLEAR},
        {PAGE_FORM, 308, "/", PAGE_UNCLEAR},
        {PAGE_ESP8266, 302, "/", PAGE_UNCLEAR},
        {PAGE_SAFEBOOT, 302, "/", PAGE_UNCLEAR},
        {PAGE_WEBUPDATER, 302, "/", PAGE_UNCLEAR},
        {PAGE_WEBUPDATER, 307, "", PAGE_UNCLEAR},
        {PAGE_WEBUPDATER, 307, "/update/", PAGE_UNCLEAR}, /* a proxy's */
        {PAGE_WEBUPDATER, 307, "/?update=failed", PAGE_UNCLEAR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof redirects / sizeof *redirects; i++)
        for (int has_ended = 0; has_ended < 2; has_ended++) {
            struct http_reply reply = {
                .status = redirects[i].status, .has_head = true, .has_ended = has_ended};
            char text[PAGE_TEXT_MAX];

            snprintf(reply.location, sizeof reply.location, "%s", redirects[i].location);
            if (page_judge(text, &pages[redirects[i].page], 0, &reply) !=
                (has_ended ? redirects[i].verdict : PAGE_UNCLEAR))
                fail_msg("redirect %zu", i);
        }
}

/* What OTAWebUpdater sends, with a body or without, whole or not. */
static void test_status_of_success(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct http_reply reply = {
            .status = 307, .has_head = true, .has_ended = i % 2, .location = "/"};
        char text[PAGE_TEXT_MAX];

        if (i / 2)
            assert_true(http_reply_add_body(&reply, "restarting", 10));
        assert_int_equal(page_judge(text, &pages[PAGE_WEBUPDATER], 0, &reply), PAGE_ACCEPTED);
        http_reply_clear(&reply);
    }
}

#define LONG "0123456789abcdefghijklmnopqrstuv"

/* What no page takes an upload with, whatever else it says: lines of a head. */
static const char *const astray[][2] = {
    /* another host, a login */
    {"302 Found", "Location: http://portal.example/"},
    {"303 See Other", "Location: //portal/"},
    {"302 Found", "Location: /Login?next=/"},
    {"307 Redirect", "Location: http://portal.example/login"},
    {"200 OK", "Refresh: 0; url=/login"},
    {"200 OK", "Refresh: 0; url=http://portal.example/"},
    {"200 OK", "Refresh: 5;URL='//portal.example/'"},
    {"200 OK", "Refresh: 0, http:x"},
    {"200 OK", "Refresh: 0 /\\portal.example/"},
    /* not clear where to */
    {"302 Found", "Location:\r\n http://portal.example/"},
    {"302 Found", "Location: /\r\n /portal.example/"},
    {"302 Found", "Location: / /portal.example/"}, /* unfolded by others */
    {"302 Found", "Location: /\t/portal.example/"},
    {"302 Found", "Location: http://portal.example/\r\nLocation: /"},
    {"302 Found", "Location: /\r\nLocation: /x"},
    {"302 Found", "Location: /" LONG LONG LONG LONG "login"},
    {"307 Redirect", "Location: /\r\n login"},
    {"307 Redirect", "Location: /x\r\nLocation: /"},
    {"200 OK", "Refresh: 0;\r\n url=/login"},
    {"200 OK", "Refresh: 0; url=/login\r\nRefresh: 10"},
    {"302 Found", "Content-Location: /"},
    {"302 Found", ""},
    /* the upload belongs elsewhere, or nothing was sent */
    {"301 Moved", "Location: /"},
    {"307 Redirect", "Location: /other"},
    {"308 Redirect", "Location: /"},
    {"300 Choices", "Location: /"},
    {"304 Not Modified", "Location: /"},
};

static void start_reply(struct http_reply *reply, const char *const head[2], const char *body)
{
    char text[512];

    snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%s%s\r\n%s", head[0], head[1],
             *head[1] ? "\r\n" : "", body);
    *reply = (struct http_reply){0};
    assert_true(http_reply_parse(reply, text, strlen(text)));
    reply->has_ended = true;
}

static void test_leads_astray(void **state)
{
    enum { HEADS = sizeof astray / sizeof *astray };

    (void)state;
    for (size_t i = 0; i < (size_t)PAGE_COUNT * HEADS * (PAGE_WORDS_MAX + 1); i++) {
        const struct page *page = &pages[i % PAGE_COUNT];
        const char *const *head = astray[i / PAGE_COUNT % HEADS];
        const size_t word = i / PAGE_COUNT / HEADS;
        const char *body = word > 0 && page->success[word - 1] ? page->success[word - 1] : "";
        struct http_reply reply;
        char text[PAGE_TEXT_MAX];

        start_reply(&reply, head, body);
        if (page_judge(text, page, 0, &reply) != PAGE_UNCLEAR)
            fail_msg("%s, %s, %s, \"%s\"", page->name, head[0], head[1], body);
        http_reply_clear(&reply);
    }
}

/* With its words, a page may lead back to a path of the board's, at once or later. */
static void test_leads_back(void **state)
{
    static const char *const back[][2] = {
        {"302 Found", "Location: /"},        {"303 See Other", "Location: done.html"},
        {"302 Found", "Location :/?at=1:2"}, {"200 OK", "Refresh: 10"},
        {"200 OK", "Refresh: 5; url=/"},     {"200 OK", "Refresh: 5;URL='/update'"},
        {"200 OK", "Refresh: 5; url = /"},   {"200 OK", "Refresh: 5; url= '/'"},
        {"201 Created", "Location: /"},      {"200 OK", "Server: x\r\n folded"},
    };
    enum { HEADS = sizeof back / sizeof *back };

    (void)state;
    for (size_t i = 0; i < (size_t)PAGE_COUNT * HEADS; i++) {
        const struct page *page = &pages[i % PAGE_COUNT];
        const char *const *head = back[i / PAGE_COUNT];
        struct http_reply reply;
        char text[PAGE_TEXT_MAX];

        start_reply(&reply, head, page->success[0] ? page->success[0] : "done");
        if (page_judge(text, page, 0, &reply) != PAGE_ACCEPTED)
            fail_msg("%s, %s, %s", page->name, head[0], head[1]);
        http_reply_clear(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),           cmocka_unit_test(test_said),
        cmocka_unit_test(test_page_again),        cmocka_unit_test(test_same_page),
        cmocka_unit_test(test_cut_body),          cmocka_unit_test(test_body_over_the_limit),
        cmocka_unit_test(test_cut_head),          cmocka_unit_test(test_cut_compressed_body),
        cmocka_unit_test(test_nul_in_body),       cmocka_unit_test(test_tls),
        cmocka_unit_test(test_refresh),           cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_status_of_success), cmocka_unit_test(test_leads_astray),
        cmocka_unit_test(test_leads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
