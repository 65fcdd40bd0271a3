using System.Globalization;
using Telemetry.Alerting.Alertmanager;
using Telemetry.Integration.Edge;
using Telemetry.Integration.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Alerts;

namespace Telemetry.Integration.Alerting.Alertmanager;

/// <summary>A database with a history of alerts, and the sender of it to one server.</summary>
internal sealed class AlertmanagerStand : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PostgresRaisedAlerts _alerts;
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private Task _running = Task.CompletedTask;

    private AlertmanagerStand(PostgresDatabase database) => (Database, _alerts) = (
        database, new PostgresRaisedAlerts(new PostgresStoreOptions { ConnectionString = database.ConnectionString }));

    public PostgresDatabase Database { get; }

    public AlertmanagerCounters Counters { get; } = new();

    public LinesLog Log { get; } = new();

    public AlertmanagerSender? Sender { get; private set; }

    public static async Task<AlertmanagerStand> Create(PostgresFixture fixture)
    {
        var stand = new AlertmanagerStand(await PostgresDatabase.Create(fixture.ConnectionString));
        await stand.Database.Execute("""
            INSERT INTO telemetry.partition (partition, token, owner, lease_until, commits,
                live_created, live_sequence, live_message, live_stored,
                backlog_created, backlog_sequence, backlog_message, backlog_stored, alert_number, alert_chain)
            VALUES (0, 0, '', '-infinity', 0, 0, 0, '', 0, 0, 0, '', 0, 0, '\x00')
            """);
        return stand;
    }

    public void Run(Uri server, AlertmanagerOptions options)
    {
        Sender = new AlertmanagerSender(
            _http, server, _alerts, options, Counters, TimeProvider.System, new Random(1), Log.CreateLogger("test"));
        _running = Sender.RunAsync(_stop.Token);
    }

    /// <summary>Adds instances of a rule, one a series, that opened a minute ago; numbers give their ids.</summary>
    public Task Fire(int from, int to, bool late = false, string gateway = "gw-1") => Change($$"""
        INSERT INTO telemetry.series (
            identity, device_id, gateway, device, metric, labels, type, unit, extra_lateness_micros)
        SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, '{{gateway}}', 'pump-' || n, 'temperature',
            jsonb_build_object('a.b', n::text, 'severity', '<b>"&'), 0, '', 0
        FROM generate_series({{from}}, {{to}}) n ON CONFLICT DO NOTHING;
        INSERT INTO telemetry.alert
        SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), '{{gateway}}', 'too hot',
            decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, 'critical', 0, t - 60000000, t - 60000000, NULL, 90 + n,
            {{(late ? "true" : "false")}}, 0, 0, 0, t - 60000000, now(), now()
        FROM generate_series({{from}}, {{to}}) n, {{NowMicros}}
        """);

    /// <summary>Ends instances.</summary>
    public Task Resolve(int from, int to) => Change($"""
        UPDATE telemetry.alert SET state = 1, ended_micros = t, changed_at = now()
        FROM {NowMicros}
        WHERE id BETWEEN decode(lpad(to_hex({from}), 32, '0'), 'hex') AND decode(lpad(to_hex({to}), 32, '0'), 'hex')
        """);

    /// <summary>Opens another instance on the series of one.</summary>
    public Task FireAgain(int number, int id) => Change($"""
        INSERT INTO telemetry.alert
        SELECT decode(lpad(to_hex({id}), 32, '0'), 'hex'), gateway, rule, series_identity, rule_version, severity, 0,
            t, t, NULL, peak, false, 0, 0, 0, t, now(), now()
        FROM telemetry.alert, {NowMicros} WHERE id = decode(lpad(to_hex({number}), 32, '0'), 'hex')
        """);

    /// <summary>Changes the history as an owner does, who also raises the number of transitions.</summary>
    public Task Change(string sql) =>
        Database.Execute($"{sql}; UPDATE telemetry.partition SET alert_number = alert_number + 1");

    /// <summary>The ids of the open alerts of the view that people read, without those that came late.</summary>
    public async Task<IReadOnlyList<string>> OpenIds() => await Database.Read(
        "SELECT id FROM telemetry.alerts WHERE state = 'firing' AND NOT late ORDER BY id", r => r.GetString(0));

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

    public static string Id(int number) => number.ToString("x32", CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _alerts.DisposeAsync();
        _http.Dispose();
        _stop.Dispose();
        await Database.DisposeAsync();
    }

    private const string NowMicros =
        "(SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS clock(t)";
}
