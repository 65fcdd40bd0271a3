using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Windows;

/// <summary>A window of one series: the width follows from the series and the start.</summary>
public readonly record struct WindowKey(SeriesIdentity Series, long Start);
