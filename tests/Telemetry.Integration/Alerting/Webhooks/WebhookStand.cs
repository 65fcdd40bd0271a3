using System.Text;
using System.Text.Json;
using Telemetry.Alerting.Routes;
using Telemetry.Alerting.Webhooks;
using Telemetry.Integration.Edge;
using Telemetry.Integration.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Network;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Alerting.Webhooks;

/// <summary>A database with an alert outbox, a receiver, and the webhook between them.</summary>
internal sealed class WebhookStand : IAsyncDisposable
{
    public static readonly byte[] Secret = Encoding.UTF8.GetBytes("a secret of the test");

    private readonly PostgresWebhookOutbox _outbox;
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly Dictionary<int, AlertHead> _heads = [];
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private WebhookStand(PostgresDatabase database, HttpReceiver receiver) => (Database, Receiver, _outbox) = (
        database, receiver,
        new PostgresWebhookOutbox(new PostgresStoreOptions { ConnectionString = database.ConnectionString }));

    public PostgresDatabase Database { get; }

    public HttpReceiver Receiver { get; }

    public WebhookCounters Counters { get; } = new();

    public LinesLog Log { get; } = new();

    public WebhookSender? Sender { get; private set; }

    public static async Task<WebhookStand> Create(PostgresFixture fixture) =>
        new(await PostgresDatabase.Create(fixture.ConnectionString), await HttpReceiver.StartAsync());

    public Webhook Webhook => new()
    {
        Name = "tickets",
        Url = Receiver.Address,
        Secrets = [Secret],
        PerMinute = 0,
        Timeout = TimeSpan.FromSeconds(10),
        Match = new TransitionMatch { Late = false },
    };

    public static WebhookOptions Options => new()
    {
        Owner = "a",
        PollEvery = TimeSpan.FromMilliseconds(20),
        RetryAfter = TimeSpan.FromMilliseconds(10),
        RetryAfterMax = TimeSpan.FromMilliseconds(100),
        BrakeTime = TimeSpan.FromSeconds(1),
    };

    /// <summary>Runs the webhook, and waits until its beginning is written.</summary>
    public async Task Run(Webhook webhook, WebhookOptions? options = null)
    {
        Sender = new WebhookSender(
            _http, webhook, options ?? Options, _outbox, Counters, TimeProvider.System, new Random(1),
            Log.CreateLogger("test"));
        _running = Sender.RunAsync(_stop.Token);
        await Until(
            async () => await Database.Row("SELECT count(*) FROM telemetry.webhook WHERE begun") == "1", "it begins");
    }

    public async Task Stop()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        _stop = new CancellationTokenSource();
    }

    /// <summary>Adds transitions; every fifth is late.</summary>
    public async Task Append(int partition, int count)
    {
        var rows = new List<AlertOutboxRow>();
        for (var i = 0; i < count; i++)
        {
            rows.Add(AlertSamples.Row(partition, _heads.GetValueOrDefault(partition)));
            _heads[partition] = rows[^1].Head;
        }

        await using var connection = await Database.OpenConnection();
        await ScriptedOutbox.AppendAsync(connection, rows, default);
    }

    /// <summary>The ids that a webhook sends of a partition, without late ones.</summary>
    public static IEnumerable<string> Ids(int partition, int from, int to) =>
        Enumerable.Range(from, to - from + 1).Where(n => n % 5 != 0)
            .Select(n => AlertSamples.Transition(partition, n).Id);

    /// <summary>The ids that the receiver has had.</summary>
    public IReadOnlyList<string> Received => [.. Receiver.Requests.Select(r => Text(r, "id"))];

    public static string Text(ReceivedRequest request, string name)
    {
        using var json = JsonDocument.Parse(request.Body);
        return json.RootElement.GetProperty(name).ToString();
    }

    /// <summary>Waits until the database says that a partition is done up to a number.</summary>
    public Task UntilDone(int partition, int number) => Until(
        async () => await Database.Row($"""
            SELECT count(*) FROM telemetry.webhook_position WHERE partition = {partition} AND number = {number}
            """) == "1",
        $"partition {partition} is done up to {number}");

    /// <summary>Waits until something is so.</summary>
    public static async Task Until(Func<Task<bool>> isSo, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await isSo())
        {
            Assert.False(limit.IsCancellationRequested, what);
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        await _outbox.DisposeAsync();
        await Receiver.DisposeAsync();
        _http.Dispose();
        _stop.Dispose();
        await Database.DisposeAsync();
    }
}
