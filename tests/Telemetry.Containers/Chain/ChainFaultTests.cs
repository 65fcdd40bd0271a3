using System.Diagnostics;
using Telemetry.Containers.Engine;
using Telemetry.Containers.Servers;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Containers.Chain;

/// <summary>
/// From a sender through the agent's container to SQL and Kafka, with a fault of the engine's in the middle. Each fault
/// strikes while readings flow, lasts until it is felt, and afterwards every reading that was acknowledged is stored
/// exactly once.
/// </summary>
public sealed class ChainFaultTests(ChainFixture fixture, ITestOutputHelper output) : IClassFixture<ChainFixture>
{
    /// <summary>Four seconds of the sender: so many wait at the edge only while nothing passes.</summary>
    private const int HeldUp = 4_000;

    private const string AlertTopic = "telemetry.alerts";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private TrialChain Chain => fixture.Chain;

    [ContainerFact]
    public Task Killed_nats_loses_nothing_and_doubles_nothing() => SurvivesAsync(
        "killed-nats", Chain.Nats.KillAsync, HeldUpAtTheEdgeAsync, Chain.Nats.StartAgainAsync);

    [ContainerFact]
    public Task Killed_cloud_loses_nothing_and_doubles_nothing() => SurvivesAsync(
        "killed-cloud", Chain.Cloud.KillAsync, HeldUpAtTheEdgeAsync, Chain.Cloud.StartAgainAsync);

    [ContainerFact]
    public Task Killed_agent_loses_nothing_that_it_acknowledged_and_doubles_nothing() => SurvivesAsync(
        "killed-agent", Chain.Agent.KillAsync, sender => Task.FromResult(sender.Repeats > 2),
        Chain.Agent.StartAgainAsync);

    [ContainerFact]
    public Task Paused_database_loses_nothing_and_doubles_nothing() => SurvivesAsync(
        "paused-database", () => Chain.Database.PauseAsync(), HeldUpAtTheEdgeAsync,
        () => Chain.Database.UnpauseAsync());

    [ContainerFact]
    public Task Paused_nats_loses_nothing_and_doubles_nothing() => SurvivesAsync(
        "paused-nats", () => Chain.Nats.PauseAsync(), HeldUpAtTheEdgeAsync, () => Chain.Nats.UnpauseAsync());

    [ContainerFact]
    public Task Agent_that_is_cut_off_sends_what_it_has_taken_once_it_is_back() => SurvivesAsync(
        "cut-network", () => Chain.Agent.DisconnectAsync(Chain.Field),
        async sender => await HeldUpAtTheEdgeAsync(sender) && await Chain.StatusAsync() is { LinkUp: false },
        () => Chain.Agent.ConnectAsync(Chain.Field, "agent"));

    private async Task SurvivesAsync(
        string device, Func<Task> strike, Func<ReadingSender, Task<bool>> isFelt, Func<Task> heal)
    {
        var time = Stopwatch.StartNew();
        await using var database = new TrialDatabase(Chain.ConnectionString);
        await using var sender = new ReadingSender(Chain, device);
        try
        {
            await StoredBeyondAsync(database, device, 0);
            await strike();
            var struck = time.Elapsed;
            await Conditions.HoldsAsync("the fault is felt", Patience, _ => isFelt(sender));
            var felt = time.Elapsed;
            await heal();
            await StoredBeyondAsync(database, device, sender.Lines);
            var healed = time.Elapsed;
            await sender.StopAsync();
            var accepted = await EverythingIsSettledAsync(database);
            await EachLineIsStoredOnceAsync(database, device, sender);
            var alerts = await EachAlertIsPublishedOnceAsync(database, device);
            RunReport.Add(
                output,
                $"{device,-16} {sender.Lines * ReadingSender.ReadingsPerLine,6} readings, each stored once; {alerts,3} "
                + $"alerts, each in Kafka once; of the gateway {accepted} accepted and settled; the fault lasted "
                + $"{(felt - struck).TotalSeconds:0.0} s, newer readings were stored "
                + $"{(healed - felt).TotalSeconds:0.0} s after it; {time.Elapsed.TotalSeconds:0} s in all");
        }
        catch
        {
            output.WriteLine(await Chain.LogsAsync());
            throw;
        }
    }

    private async Task<bool> HeldUpAtTheEdgeAsync(ReadingSender sender) =>
        await Chain.StatusAsync() is { AtTheEdge: > HeldUp };

    private static async Task StoredBeyondAsync(TrialDatabase database, string device, long lines)
    {
        var seen = 0L;
        await Conditions.HoldsAsync(
            $"more than {lines} lines of {device} are stored", Patience,
            async _ => (seen = (await database.SeriesAsync(device, "boiler.line")).Rows) > lines,
            () => $"{seen} are.");
    }

    /// <summary>
    /// What the agent has accepted, its own metrics too, is what the books have settled, and the books are what is
    /// there.
    /// </summary>
    private async Task<long> EverythingIsSettledAsync(TrialDatabase database)
    {
        AgentStatus? status = null;
        GatewayBooks? books = null;
        // Its own metrics go on: so both are asked until they are of one moment.
        await Conditions.HoldsAsync(
            "all that was accepted is settled", Patience,
            async _ => (status = await Chain.StatusAsync()) is { AtTheEdge: 0 }
                && (books = await database.BooksAsync()).Settled == status.Accepted,
            () => $"{status} {books}");

        Assert.Equal((0, 0, 0, ""), (books!.Rejected, books.Dropped, books.Lost, books.Fork));
        Assert.Equal(books.Stored, books.Rows);
        return status!.Accepted;
    }

    private static async Task EachLineIsStoredOnceAsync(TrialDatabase database, string device, ReadingSender sender)
    {
        var lines = sender.Lines;

        Assert.Equal(
            new StoredSeries(lines, lines, lines * (lines + 1) / 2.0),
            await database.SeriesAsync(device, "boiler.line"));
        Assert.Equal(
            new StoredSeries(lines, lines, sender.TemperatureSum),
            await database.SeriesAsync(device, "boiler.temperature"));
    }

    private async Task<int> EachAlertIsPublishedOnceAsync(TrialDatabase database, string device)
    {
        IReadOnlyList<string>? stored = null;
        await Conditions.HoldsAsync(
            "the relay has published every alert", Patience,
            async _ => (stored = await database.PublishedAlertsAsync(device)) is not null);
        var topic = TopicConsumer.ReadAll(Chain.Kafka.GetBootstrapAddress(), AlertTopic, committedOnly: true)
            .Select(alert => alert.Headers["ce_id"]).Order(StringComparer.Ordinal).ToList();

        Assert.NotEmpty(stored!);
        Assert.Equal(topic.Distinct(), topic);
        Assert.Equal(stored!.Order(StringComparer.Ordinal), topic.Where(stored!.Contains));
        return stored!.Count;
    }
}
