namespace Telemetry.Processing.Windows;

/// <summary>Bounds the parts of windows that one processor has in memory.</summary>
internal static class WindowMemory
{
    /// <summary>
    /// Beyond <paramref name="partsMax"/> parts, writes those of some gateways with the next commit, until a quarter is
    /// free. Returns the number of parts now.
    /// </summary>
    public static long Trim(IEnumerable<GatewayWindows> gateways, int partsMax)
    {
        var open = gateways.Sum(g => (long)g.Count);
        var stays = open;
        foreach (var windows in gateways)
        {
            if (open <= partsMax || stays <= partsMax * 3L / 4)
            {
                break;
            }

            windows.WriteAll |= windows.Count > 0;
            stays -= windows.Count;
        }

        return open;
    }
}
