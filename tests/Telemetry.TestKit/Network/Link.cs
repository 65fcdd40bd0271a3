using System.Diagnostics;

namespace Telemetry.TestKit.Network;

/// <summary>One direction of the line that all connections of a proxy share. Any thread may use it.</summary>
internal sealed class Link
{
    // Small enough that a slow line carries a trickle and not a lump a second.
    private const int PiecesPerSecond = 50;
    private const int PieceBytesMax = 16 * 1024;

    private readonly Lock _lock = new();
    private long _busyUntil;
    private long _bytesPassed;
    private long _bytesPerSecond = long.MaxValue;
    private long _cutAtBytes = long.MaxValue;

    /// <summary>Limit of the line; long.MaxValue: none.</summary>
    public long BytesPerSecond
    {
        get => Volatile.Read(ref _bytesPerSecond);
        set => Volatile.Write(ref _bytesPerSecond, value);
    }

    public long BytesPassed => Volatile.Read(ref _bytesPassed);

    /// <summary>How much to read at once.</summary>
    public int PieceBytes => (int)Math.Clamp(BytesPerSecond / PiecesPerSecond, 1, PieceBytesMax);

    /// <summary>The line breaks when so many more bytes have passed.</summary>
    public void CutAfter(long bytes)
    {
        lock (_lock)
        {
            _cutAtBytes = _bytesPassed + bytes;
        }
    }

    /// <summary>
    /// How many of these bytes still pass; <paramref name="breaks"/>: the line breaks right behind them.
    /// </summary>
    public int Pass(int bytes, out bool breaks)
    {
        lock (_lock)
        {
            var passed = (int)Math.Min(bytes, _cutAtBytes - _bytesPassed);
            _bytesPassed += passed;
            breaks = _bytesPassed == _cutAtBytes;
            if (breaks)
            {
                _cutAtBytes = long.MaxValue;
            }

            return passed;
        }
    }

    /// <summary>Waits until the line has carried these bytes, after those of all others before them.</summary>
    public async Task Carry(int bytes, CancellationToken cancellation)
    {
        if (BytesPerSecond == long.MaxValue)
        {
            return;
        }

        TimeSpan wait;
        lock (_lock)
        {
            var now = Stopwatch.GetTimestamp();
            _busyUntil = Math.Max(now, _busyUntil) + bytes * Stopwatch.Frequency / BytesPerSecond;
            wait = Stopwatch.GetElapsedTime(now, _busyUntil);
        }

        await Task.Delay(wait, cancellation);
    }
}
