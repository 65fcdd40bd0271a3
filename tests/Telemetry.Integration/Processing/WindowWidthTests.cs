using Telemetry.Model.Readings;
using Telemetry.Processing;
using Telemetry.Processing.Windows;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>A processor at work learns of widths that are added.</summary>
public sealed class WindowWidthTests
{
    [ServersFact(nats: true, postgres: true)]
    public async Task Width_that_is_added_beside_a_processor_counts_from_its_time_on()
    {
        await using var stand = await ProcessorStand.Start(new ProcessorOptions
        {
            Windows = new WindowOptions { ReadWidthsEvery = TimeSpan.Zero },
        });
        var gateway = ProcessorStand.Gateway(1);
        await stand.SendSchema(gateway);
        await stand.SendFloats(gateway, 1);
        await stand.WaitUntilSettled(1);
        var from = await stand.Database.Read(
            "SELECT (extract(epoch FROM date_bin('5 minutes', now() + interval '70 minutes', '1970-01-01Z')) * 1000000)"
            + "::bigint",
            r => r.GetInt64(0));
        var entry = new WindowWidth(new("fl*"), 10, from[0]);

        Assert.Equal(
            1,
            await stand.Database.Postgres.AddWidthsAsync(
                new ConfiguredWidths("windows.json", [entry]), "tester", default));
        var batch = new ReadingBatch();
        batch.Add(0, entry.ValidFrom - 1, 2.0);
        batch.Add(0, entry.ValidFrom, 3.0);
        await stand.SendFrame(gateway, batch);
        await stand.WaitUntilSettled(3);

        Assert.Equal(
            [60, 60, 10],
            await stand.Database.Read("SELECT width FROM telemetry.window_part ORDER BY start", r => r.GetInt32(0)));
        Assert.Equal(
            3, (await stand.Database.Read("""
                SELECT 1 FROM telemetry.reading r
                JOIN telemetry.series_width w ON w.series = r.series AND r.time >= w.valid_from AND r.time < w.valid_to
                JOIN telemetry.window_part p ON p.series = r.series AND p.width = w.width
                    AND r.time >= p.start AND r.time < p.start + make_interval(secs => p.width)
                """, _ => 1)).Count);
    }
}
