using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Telemetry.Inputs.Http;
using Telemetry.Integration.MqttSessions;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Inputs;

public sealed class HttpInputTests
{
    [Theory]
    [InlineData("/write?db=telegraf")]
    [InlineData("/write?db=telegraf&rp=x&precision=s")]
    [InlineData("/api/v2/write?org=o&bucket=b&precision=ns")]
    [InlineData("/api/v2/write/?org=o&bucket=b")]
    public async Task Lines_are_stored_and_answered_204(string path)
    {
        await using var stand = await HttpStand.StartAsync();
        using var answer = await stand.PostAsync(path, "m f=1 0\nm f=2 1\n");

        Assert.Equal((HttpStatusCode.NoContent, ""), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Equal((2L, 2L), (stand.Accepted, stand.Status.LinesStored));
    }

    [Fact]
    public async Task A_gzip_body_is_inflated()
    {
        await using var stand = await HttpStand.StartAsync();
        using var answer = await stand.PostAsync("/api/v2/write", Gzip(Encoding.UTF8.GetBytes("m f=1 0\nm f=2 0")));

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(2, stand.Accepted);
    }

    [Theory]
    [InlineData(
        "/write",
        """{"error":"partial write: line 2: unable to parse 'm f=x 0': invalid field value: """
        + """use a number, a bool or a text in quotes dropped=1"}""")]
    [InlineData(
        "/api/v2/write",
        """{"code":"invalid","message":"partial write: line 2: unable to parse 'm f=x 0': """
        + """invalid field value: use a number, a bool or a text in quotes dropped=1"}""")]
    public async Task A_partial_write_is_answered_as_the_version_answers_it(string path, string body)
    {
        await using var stand = await HttpStand.StartAsync();
        using var answer = await stand.PostAsync(path, "m f=1 0\nm f=x 0\nm f=3 0");

        Assert.Equal((HttpStatusCode.BadRequest, body), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Equal(path == "/write", answer.Headers.Contains("X-Influxdb-Error"));
        Assert.Equal((2L, 1L), (stand.Accepted, stand.Status.LinesRefused));
    }

    [Theory]
    [InlineData("Token", HttpStand.Token)]
    [InlineData("Token", "telegraf:" + HttpStand.Token)]
    [InlineData("Bearer", HttpStand.Token)]
    [InlineData("Basic", "dGVsZWdyYWY6YS10b2tlbi1vZi10aGUtdGVzdA==")]
    public async Task A_credential_may_come_in_several_forms(string scheme, string value)
    {
        await using var stand = await HttpStand.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/write") { Content = new StringContent("m f=1") };
        request.Headers.Authorization = new AuthenticationHeaderValue(scheme, value);
        using var answer = await stand.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task A_credential_may_come_in_the_query()
    {
        await using var stand = await HttpStand.StartAsync();
        using var answer = await stand.PostAsync($"/write?u=telegraf&p={HttpStand.Token}", "m f=1", token: null);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task A_key_stores_once_within_its_path_and_differs_from_others()
    {
        await using var stand = await HttpStand.StartAsync();
        HttpStatusCode[] told =
        [
            (await stand.PostAsync("/write", "m f=1", key: "k")).StatusCode,
            (await stand.PostAsync("/write", "m f=1", key: "k")).StatusCode,
            (await stand.PostAsync("/write", Gzip("m f=1"u8.ToArray()), key: "k")).StatusCode,
            (await stand.PostAsync("/write", "m f=2", key: "k")).StatusCode,
            (await stand.PostAsync("/api/v2/write", "m f=2", key: "k")).StatusCode,
            (await stand.PostAsync("/write", "m f=1", key: "l")).StatusCode,
            (await stand.PostAsync("/write", "m f=1", key: new string('k', 300))).StatusCode,
        ];

        Assert.Equal([204, 204, 204, 422, 204, 204, 400], told.Select(t => (int)t));
        Assert.Equal((3L, 2L), (stand.Accepted, stand.Status.Repeats));
    }

    [Fact]
    public async Task Clients_find_out_that_somebody_is_there_without_a_token()
    {
        await using var stand = await HttpStand.StartAsync();
        using var ping = await stand.Client.GetAsync(new Uri("/ping", UriKind.Relative));
        using var head = await stand.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/ping"));
        var health = await stand.Client.GetStringAsync(new Uri("/health", UriKind.Relative));

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NoContent), (ping.StatusCode, head.StatusCode));
        Assert.True(ping.Headers.Contains("X-Influxdb-Version"));
        Assert.Contains("\"status\":\"pass\"", health, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_certificate_it_speaks_tls()
    {
        await using var folder = new TemporaryFolder();
        using var certificate = new TestCertificates().Sign("gateway");
        await File.WriteAllTextAsync(folder.At("cert.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(folder.At("key.pem"), TestCertificates.KeyPem(certificate));
        await using var stand = await HttpStand.StartAsync(
            o => o with { CertificateFile = folder.At("cert.pem"), KeyFile = folder.At("key.pem") });
        using var answer = await stand.PostAsync("/write", "m f=1");

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task Without_tokens_everybody_may_write()
    {
        await using var stand = await HttpStand.StartAsync(o => o with { Tokens = AccessTokens.None });
        using var answer = await stand.PostAsync("/write", "m f=1", token: null);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task While_a_broken_outbox_is_opened_again_senders_get_503_and_a_repeat_stores_once()
    {
        await using var stand = await HttpStand.StartAsync();
        await stand.BreakDiskAsync();
        using var broken = await stand.PostAsync("/write", "m f=1", key: "k");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, broken.StatusCode);
        Assert.NotNull(broken.Headers.RetryAfter);

        await stand.ReopenAsync(async () =>
        {
            using var closed = await stand.PostAsync("/write", "m f=1", key: "k");
            using var health = await stand.Client.GetAsync(new Uri("/health", UriKind.Relative));
            Assert.Equal((503, 503), ((int)closed.StatusCode, (int)health.StatusCode));
        });
        Assert.Equal(HttpStatusCode.NoContent, (await stand.PostAsync("/write", "m f=1", key: "k")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await stand.PostAsync("/write", "m f=1", key: "k")).StatusCode);
        Assert.Equal(1, stand.Accepted);
    }

    [Fact]
    public async Task Senders_to_an_agent_that_stops_are_answered_by_the_outbox_or_meet_nobody()
    {
        await using var stand = await HttpStand.StartAsync(
            o => o with { CommitDeadline = TimeSpan.FromMilliseconds(100) });
        var senders = Enumerable.Range(0, 8).Select(_ => SendUntilNobodyListensAsync(stand)).ToList();
        await HttpStand.UntilAsync(() => stand.Accepted >= 16);
        await stand.StopInputAsync();
        var answers = (await Task.WhenAll(senders)).SelectMany(a => a).ToList();

        Assert.True(answers.Count >= 16);
        Assert.All(answers, status => Assert.Equal(HttpStatusCode.NoContent, status));
        Assert.True(stand.Accepted >= answers.Count);
    }

    private static async Task<List<HttpStatusCode>> SendUntilNobodyListensAsync(HttpStand stand)
    {
        var answers = new List<HttpStatusCode>();
        try
        {
            while (true)
            {
                using var answer = await stand.PostAsync("/write", "m f=1");
                answers.Add(answer.StatusCode);
            }
        }
        catch (HttpRequestException)
        {
            return answers;
        }
    }

    internal static ByteArrayContent Gzip(byte[] body)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(body);
        }

        var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentEncoding.Add("gzip");
        return content;
    }
}
