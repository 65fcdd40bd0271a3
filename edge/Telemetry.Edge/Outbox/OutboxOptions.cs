using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;

namespace Telemetry.Edge.Outbox;

/// <summary>Limits of an outbox; each says what happens when it is reached.</summary>
public sealed record OutboxOptions
{
    /// <summary>
    /// How long readings may wait for others before they are committed together; an offer may ask for less. Default 1
    /// s: an SD card endures one small write a second for years.
    /// </summary>
    public TimeSpan CommitDeadline { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The most readings of one segment or live frame, 1 to 8,192. When this many wait they are committed at once.
    /// </summary>
    public int SegmentReadingsMax { get; init; } = 8192;

    /// <summary>
    /// The most bytes of readings in one segment or frame, 8 KiB to 60 KiB (a frame of 64 KiB then has room for its
    /// header); more readings make several. When this many bytes of text wait they are committed at once.
    /// </summary>
    public int SegmentBytesMax { get; init; } = 60 * 1024;

    /// <summary>The most bytes of segments and frames that are kept. At the limit offers are refused.</summary>
    public long QuotaBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// The most readings that wait while a commit is being written to a slow disk. At the limit offers are refused.
    /// </summary>
    public int WaitingReadingsMax { get; init; } = 64 * 1024;

    /// <summary>The most series. At the limit <see cref="ReadingOutbox.SeriesIndex"/> throws.</summary>
    public int SeriesMax { get; init; } = 64 * 1024;

    /// <summary>How far the promised W stays behind the clock. Readings that arrive later than that are late.</summary>
    public TimeSpan AllowedLateness { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After this time without a commit, receipts, frees and W get a commit of their own.</summary>
    public TimeSpan IdleCommitInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The most bytes of recent frames kept in memory; older ones are read from the file.</summary>
    public int CacheBytesMax { get; init; } = 1024 * 1024;

    /// <summary>
    /// The most requests that are remembered (<see cref="AnsweredRequest"/>), about 200 bytes of memory each. Default
    /// 131,072: three requests every two seconds for a day. <see cref="RequestsFull"/> says what happens at the limit.
    /// </summary>
    public int RequestsMax { get; init; } = 128 * 1024;

    /// <summary>
    /// The least time for which a request is remembered while <see cref="RequestsMax"/> is not reached. Default one
    /// day.
    /// </summary>
    public TimeSpan RequestsKept { get; init; } = TimeSpan.FromDays(1);

    /// <summary>What happens at <see cref="RequestsMax"/>. Default: the oldest is forgotten early.</summary>
    public RequestsFull RequestsFull { get; init; } = RequestsFull.ForgetOldest;

    /// <summary>
    /// How long closing waits for the last commit. After that it gives up, and the waiting offers fail.
    /// </summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For tests only, see <see cref="TestDrops"/>; 0: nothing is dropped.</summary>
    public int TestDropEvery { get; init; }

    public OutboxOptions Validated()
    {
        Require(
            CommitDeadline >= TimeSpan.Zero && CommitDeadline <= TimeSpan.FromMinutes(1), nameof(CommitDeadline),
            "0 to 60 s");
        Require(SegmentReadingsMax is >= 1 and <= 8192, nameof(SegmentReadingsMax), "1 to 8192");
        Require(SegmentBytesMax is >= 8 * 1024 and <= 60 * 1024, nameof(SegmentBytesMax), "8 KiB to 60 KiB");
        Require(QuotaBytes > 0, nameof(QuotaBytes), "at least 1");
        Require(WaitingReadingsMax > 0, nameof(WaitingReadingsMax), "at least 1");
        Require(SeriesMax > 0, nameof(SeriesMax), "at least 1");
        Require(
            AllowedLateness >= TimeSpan.Zero && AllowedLateness <= TimeSpan.FromDays(366), nameof(AllowedLateness),
            "0 to 366 days");
        Require(IdleCommitInterval >= TimeSpan.FromSeconds(1), nameof(IdleCommitInterval), "at least 1 s");
        Require(CacheBytesMax >= 0, nameof(CacheBytesMax), "at least 0");
        Require(RequestsMax is >= 1 and <= 1024 * 1024, nameof(RequestsMax), "1 to 1048576");
        Require(
            RequestsKept >= TimeSpan.FromMinutes(1) && RequestsKept <= TimeSpan.FromDays(366), nameof(RequestsKept),
            "1 min to 366 days");
        Require(CloseTimeout > TimeSpan.Zero, nameof(CloseTimeout), "more than 0");
        return this;
    }

    private static void Require(bool holds, string key, string range)
    {
        if (!holds)
        {
            throw new ArgumentException($"outbox option {key} is out of range: {range} is allowed");
        }
    }
}
