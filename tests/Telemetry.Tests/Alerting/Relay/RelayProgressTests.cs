using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;

namespace Telemetry.Tests.Alerting.Relay;

/// <summary>
/// Whether the database that a running relay reads is still the one that it has published. It has published partition 1
/// up to row 7.
/// </summary>
public sealed class RelayProgressTests
{
    private static readonly AlertHead Published = new(7, 70);

    [Fact]
    public void Database_that_has_what_was_published_or_more_agrees()
    {
        Assert.True(Agrees(Published, Published));
        Assert.True(Agrees(Published, new AlertHead(8, 80)));
    }

    [Fact]
    public void Database_that_ends_before_what_was_published_was_put_back()
    {
        Assert.False(Agrees(Published, new AlertHead(6, 60)));
        Assert.False(Agrees(Published, AlertHead.None));
        Assert.False(Agrees(Published, null));
    }

    [Fact]
    public void Database_with_another_row_in_that_place_was_put_back() =>
        Assert.False(Agrees(Published, new AlertHead(7, 71)));

    [Fact]
    public void Position_whose_row_was_removed_can_be_compared_by_its_number_alone()
    {
        Assert.True(Agrees(new AlertHead(7, 0), new AlertHead(7, 71)));
        Assert.False(Agrees(new AlertHead(7, 0), new AlertHead(6, 60)));
    }

    private static bool Agrees(AlertHead published, AlertHead? stored)
    {
        var start = new RelayStart(new() { [1] = new RelayPosition(published, default) }, null!, default);
        var progress = new RelayProgress(
            null!, start, new RelayOptions(), new RelayCounters(), NullLogger.Instance);
        var extents = new Dictionary<int, OutboxExtent>();
        if (stored is { } head)
        {
            extents.Add(1, new OutboxExtent(1, head, 0));
        }

        return progress.Agrees(extents);
    }
}
