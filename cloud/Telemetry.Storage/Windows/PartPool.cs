namespace Telemetry.Storage.Windows;

/// <summary>Parts that are used again, so that a steady stream of readings allocates none.</summary>
public sealed class PartPool
{
    /// <summary>The most parts that wait to be used; further ones are left to the garbage collector.</summary>
    private const int WaitingMax = 50_000;

    private readonly Stack<WindowPart> _waiting = [];

    public WindowPart Take() => _waiting.TryPop(out var part) ? part : new WindowPart();

    public void Return(WindowPart part)
    {
        if (_waiting.Count < WaitingMax)
        {
            _waiting.Push(part);
        }
    }
}
