using System.Text;
using System.Text.Json;
using Telemetry.Alerting.Webhooks;
using Telemetry.TestKit.Servers;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Alerting.Webhooks;

/// <summary>What a file of webhooks may say.</summary>
public sealed class WebhooksFileTests : IAsyncLifetime
{
    private const string Good = "\"name\": \"x\", \"url\": \"https://h/x\"";

    private static readonly TimeSpan Keep = TimeSpan.FromDays(7);

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Every_key_is_read()
    {
        var webhook = Assert.Single((await Read("""
            "name": "tickets", "url": "https://h:9/x?y=1", "secretFile": "SECRET", "perMinute": 7, "giveUpAfter": "2 h",
            "timeout": "3 s", "match": { "severity": [ "critical" ], "site": "north*" }
            """)).Webhooks!);

        Assert.Equal(
            ("tickets", "https://h:9/x?y=1", 7, TimeSpan.FromHours(2), TimeSpan.FromSeconds(3)),
            (webhook.Name, webhook.Url.AbsoluteUri, webhook.PerMinute, webhook.GiveUpAfter, webhook.Timeout));
        Assert.Equal(["a secret of 16 by", "another of 16 bytes"], webhook.Secrets.Select(Encoding.UTF8.GetString));
        Assert.Equal(["critical"], webhook.Match.Severities);
        Assert.Equal(false, webhook.Match.Late);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(", \"match\": { \"late\": true }", true)]
    [InlineData(", \"lateToo\": true", null)]
    public async Task Late_transitions_are_not_sent_unless_it_asks_for_them(string more, bool? late)
    {
        var webhook = Assert.Single((await Read($"{Good}, \"secretFile\": \"SECRET\"{more}")).Webhooks!);

        Assert.Equal(late, webhook.Match.Late);
    }

    [Theory]
    [InlineData(Good, "secretFile: is missing")]
    [InlineData(Good + ", \"secretFile\": \"/no/such\"", "secretFile: cannot be read")]
    [InlineData(Good + ", \"secretFile\": \"SHORT\"", "secretFile: has to have 1 to 4 lines of at least 16 bytes")]
    [InlineData("\"url\": \"https://h\", \"secretFile\": \"SECRET\"", "name: is missing or not allowed")]
    [InlineData("\"name\": \"x\", \"url\": \"ftp://h\", \"secretFile\": \"SECRET\"", "url: is missing or not allowed")]
    [InlineData(Good + ", \"secretFile\": \"SECRET\", \"perMinute\": 1.5", "perMinute: is not allowed")]
    [InlineData(Good + ", \"secretFile\": \"SECRET\", \"giveUpAfter\": \"8 d\"", "giveUpAfter: '8 d' is not allowed")]
    [InlineData(Good + ", \"secretFile\": \"SECRET\", \"secret\": \"x\"", "secret: is not a known key")]
    public async Task Problem_names_the_webhook_and_the_key(string keys, string problem)
    {
        var (webhooks, problems) = await Read(keys);

        Assert.Null(webhooks);
        Assert.Contains(problems, p => p.Contains($"webhook 1: {problem}", StringComparison.Ordinal));
    }

    [Fact]
    public void Sample_is_good_but_for_its_secret()
    {
        Assert.Null(WebhooksFile.Read(
            Path.Combine(SourceTree.Root, "deploy/webhooks.json"), Keep, out var problems));
        Assert.Contains("secretFile: cannot be read", Assert.Single(problems), StringComparison.Ordinal);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    private async Task<(IReadOnlyList<Webhook>? Webhooks, IReadOnlyList<string> Problems)> Read(string keys)
    {
        await File.WriteAllTextAsync(_folder.At("SECRET"), "a secret of 16 by\n\nanother of 16 bytes\n");
        await File.WriteAllTextAsync(_folder.At("SHORT"), "short\n");
        var json = keys.Replace("SECRET", Json("SECRET"), StringComparison.Ordinal)
            .Replace("SHORT", Json("SHORT"), StringComparison.Ordinal);
        await File.WriteAllTextAsync(_folder.At("webhooks.json"), $$"""{ "webhooks": [ { {{json}} } ] }""");
        var webhooks = WebhooksFile.Read(_folder.At("webhooks.json"), Keep, out var problems);
        return (webhooks, problems);
    }

    private string Json(string file) => JsonEncodedText.Encode(_folder.At(file)).ToString();
}
