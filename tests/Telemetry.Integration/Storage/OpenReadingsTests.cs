using System.Globalization;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Windows;

namespace Telemetry.Integration.Storage;

/// <summary>What a new owner reads back to fold open windows anew.</summary>
public sealed class OpenReadingsTests(ArrivedReadings arrived) : IClassFixture<ArrivedReadings>
{
    [Theory]
    [InlineData(1)]
    [InlineData(ArrivedReadings.Gateways)]
    public async Task Readings_of_open_windows_are_scanned_once(int gateways)
    {
        var now = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var spans = Enumerable.Range(1, gateways).Select(
            i => (GatewayId.Parse($"gw-{i}"), new OpenSpan(now - 600_000_000, now))).ToArray();
        var before = await Counted();
        var store = await PostgresStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = arrived.Database.ConnectionString }, TimeProvider.System,
            default);
        var seen = new HashSet<int>();

        await store.ReadReadingsAsync(spans, Note, new ReadingBuffer(), 1_000_000, default);

        // The server counts the scans of a session when it ends.
        await store.DisposeAsync();
        for (var tries = 0; await Counted() == before && tries < 500; tries++)
        {
            await Task.Delay(20);
        }

        Assert.Equal(gateways * ArrivedReadings.SeriesOfGateway, seen.Count);
        Assert.Equal(1, await Counted() - before);

        SeriesEntry? Note(GatewayId gateway, int number)
        {
            seen.Add(number);
            return null;
        }
    }

    private async Task<long> Counted() => long.Parse(
        await arrived.Database.Row("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'reading_arrived'"),
        CultureInfo.InvariantCulture);
}
