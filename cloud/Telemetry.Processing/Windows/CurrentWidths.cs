using Microsoft.Extensions.Logging;
using Telemetry.Storage;
using Telemetry.Storage.Windows;

namespace Telemetry.Processing.Windows;

/// <summary>
/// The widths of windows as the database has them. They are read again at intervals, between two transactions, on the
/// processor's thread.
/// </summary>
internal sealed class CurrentWidths(IStore store, WindowOptions options, TimeProvider time, ILogger logger)
{
    private DateTimeOffset? _readAt;

    /// <summary>The widths as last read.</summary>
    public WindowWidths Now { get; private set; } = WindowWidths.None;

    /// <summary>Reads them if that is due, or <paramref name="atOnce"/>.</summary>
    public async Task ReadAsync(bool atOnce, CancellationToken cancellationToken)
    {
        // By the clock of the day, which also runs while the machine is suspended. A clock that was set back reads too.
        var now = time.GetUtcNow();
        if (!atOnce && _readAt is { } at && now >= at && now - at < options.ReadWidthsEvery)
        {
            return;
        }

        var rows = await store.ReadWidthsAsync(cancellationToken);
        if (!rows.SequenceEqual(Now.All))
        {
            ProcessingLog.WidthsRead(logger, rows.Count, Now.All.Count);
            Now = new WindowWidths(rows);
        }

        _readAt = now;
    }
}
