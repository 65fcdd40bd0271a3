using Telemetry.Model.Installations;
using Telemetry.Streams;

namespace Telemetry.TestKit.Contracts;

/// <summary>What a test of the log's contract wants of a fresh log.</summary>
/// <param name="LiveBytesMax">The byte limit of LIVE streams.</param>
/// <param name="DuplicateWindow">For how long message ids are remembered.</param>
public sealed record FrameLogStandOptions(long LiveBytesMax, TimeSpan DuplicateWindow)
{
    public static readonly FrameLogStandOptions Ordinary = new(64 * 1024 * 1024, TimeSpan.FromMinutes(2));
}

/// <summary>A log under test, and what may happen to it.</summary>
public abstract class FrameLogStand : IAsyncDisposable
{
    public abstract IFrameLog Log { get; }

    public abstract TimeProvider Time { get; }

    /// <summary>The same log, as a process with these facts uses it.</summary>
    public abstract IFrameLog As(InstallationFacts facts);

    /// <summary>The log loses what it said of its installation.</summary>
    public abstract Task ForgetInstallationAsync();

    /// <summary>Deletes both streams of a partition with all that they hold.</summary>
    public abstract Task WipeAsync(int partition);

    /// <summary>Breaks the link to the log for a moment; it comes back, with what was stored.</summary>
    public abstract Task BreakLinkAsync();

    public abstract ValueTask DisposeAsync();
}
