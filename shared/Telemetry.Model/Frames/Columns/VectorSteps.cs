using System.Numerics;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The places at which a loop over 64-bit numbers takes vectors. The last vector ends with the last number, so it may
/// overlap the one before, and some numbers are processed twice.
/// </summary>
internal static class VectorSteps
{
    /// <summary>With fewer numbers than this, a loop takes them one by one.</summary>
    public static int Least => Vector<ulong>.Count;

    /// <summary>
    /// The place of the next vector after <paramref name="at"/>; <paramref name="count"/> at the end.
    /// </summary>
    public static int Next(int at, int count)
    {
        var next = at + Vector<ulong>.Count;
        return next >= count ? count : Math.Min(next, count - Vector<ulong>.Count);
    }
}
