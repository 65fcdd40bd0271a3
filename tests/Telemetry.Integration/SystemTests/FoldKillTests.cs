using System.Globalization;
using Telemetry.SystemTests;
using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Showing;
using Telemetry.SystemTests.Windows;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.SystemTests;

/// <summary>
/// Windows while the processor is killed between fold and commit, with real agents, nats-server and PostgreSQL: 10
/// times, or as often as TELEMETRY_TEST_FOLD_KILLS says.
/// </summary>
public sealed class FoldKillTests(ITestOutputHelper output)
{
    private const int Retries = 100;

    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("TELEMETRY_TEST_FOLD_KILLS") ?? "10", CultureInfo.InvariantCulture);

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5) + (Kills * TimeSpan.FromSeconds(10));
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    [ServersFact(nats: true, postgres: true)]
    public async Task No_complete_window_differs_from_its_readings_whenever_the_processor_is_killed()
    {
        using var limit = new CancellationTokenSource(Limit);
        using var said = new StringWriter();
        await using var cluster = await LocalCluster.StartAsync(FoldKills.Options);
        await using var picture = new LivePicture(cluster, TextWriter.Synchronized(said), terminal: false);
        await using var reader = new WindowReader(cluster.Postgres.ConnectionString, LookEvery);
        var scenario = new FoldKills(cluster, Kills, Retries);

        await scenario.RunAsync(picture, limit.Token);

        var books = await cluster.JudgeAsync(limit.Token);
        await cluster.Processor.StopAsync();
        var differences = await reader.EndAsync();
        var windows = await WindowVerdict.ReadAsync(cluster.Postgres.ConnectionString, limit.Token);
        output.WriteLine(string.Join('\n', scenario.Kills));
        output.WriteLine(
            $"{scenario.Retried} dead letters stored, {scenario.Poison} readings refused, windows read {reader.Looks} "
            + $"times meanwhile; {windows.Complete} complete at the end");
        Assert.True(books.Balanced, $"{books}\n{said}");
        Assert.Empty(windows.Faults);
        Assert.Empty(differences);
        Assert.True(reader.Looks > Kills, $"windows were read {reader.Looks} times");
        Assert.Equal(Kills, scenario.Kills.Count);
        Assert.True(
            scenario.Kills.Count(kill => kill is { OpenGateways: > 0, ReadingsWithoutPart: > 0 }) > Kills / 2,
            "most kills should leave readings whose parts are in memory alone");
        Assert.Equal(Retries, scenario.Retried);
        Assert.True(scenario.Poison > 0, "the database refused nothing");
    }
}
