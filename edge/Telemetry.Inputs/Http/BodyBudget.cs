namespace Telemetry.Inputs.Http;

/// <summary>How many bytes all bodies in memory may have together. Any thread.</summary>
internal sealed class BodyBudget(long bytesMax)
{
    private long _taken;

    /// <summary>False: that many are not left at this moment.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= bytesMax)
        {
            return true;
        }

        GiveBack(bytes);
        return false;
    }

    public void GiveBack(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
