namespace Telemetry.Cloud.Commands.Certificates;

/// <summary>A certificate cannot be made; the message says why in one sentence.</summary>
internal sealed class CertificateException(string message, Exception? inner = null) : Exception(message, inner);
