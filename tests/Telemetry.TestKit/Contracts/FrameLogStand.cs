using Telemetry.Model.Installations;
using Telemetry.Streams;

namespace Telemetry.TestKit.Contracts;

/// <summary>The settings that a contract test needs for a fresh log.</summary>
/// <param name="LiveBytesMax">The byte limit of LIVE streams.</param>
/// <param name="DuplicateWindow">How long message ids are remembered.</param>
public sealed record FrameLogStandOptions(long LiveBytesMax, TimeSpan DuplicateWindow)
{
    public static readonly FrameLogStandOptions Ordinary = new(64 * 1024 * 1024, TimeSpan.FromMinutes(2));
}

/// <summary>A log under test, and the failures that a test can cause.</summary>
public abstract class FrameLogStand : IAsyncDisposable
{
    public abstract IFrameLog Log { get; }

    public abstract TimeProvider Time { get; }

    /// <summary>The same log as used by a process with these facts.</summary>
    public abstract IFrameLog As(InstallationFacts facts);

    /// <summary>Removes the log's record of its installation.</summary>
    public abstract Task ForgetInstallationAsync();

    /// <summary>Deletes both streams of a partition with all their messages.</summary>
    public abstract Task WipeAsync(int partition);

    /// <summary>Breaks the link to the log for a moment; afterwards it has what was stored.</summary>
    public abstract Task BreakLinkAsync();

    public abstract ValueTask DisposeAsync();
}
