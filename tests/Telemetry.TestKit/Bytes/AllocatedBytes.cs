namespace Telemetry.TestKit.Bytes;

/// <summary>
/// What a call allocates on this thread once it is warm. A single measurement can be too large, never too small: when
/// the collector takes what is left of a thread's allocation context (8 KiB) while other threads allocate, the
/// runtime's counter can book that as allocated. So the least of several is what the call itself allocates.
/// </summary>
public static class AllocatedBytes
{
    private const int MeasurementsMax = 50;

    /// <summary>
    /// Makes the call once to warm it up, and then until it allocates no more than <paramref name="enough"/>; the least
    /// that it allocated.
    /// </summary>
    public static long Of(Action call, long enough = 0)
    {
        ArgumentNullException.ThrowIfNull(call);
        call();
        var least = long.MaxValue;
        for (var measurement = 0; measurement < MeasurementsMax && least > enough; measurement++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            call();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
