{{- define "turnpike.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "turnpike.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "turnpike.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "turnpike.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "turnpike.selector" -}}
app.kubernetes.io/name: {{ include "turnpike.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "turnpike.labels" -}}
{{ include "turnpike.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "turnpike.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "turnpike.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "turnpike.kind" -}}
{{- ternary "StatefulSet" "Deployment" .Values.persistence.enabled -}}
{{- end -}}

{{/* How long a pod may take to end: the way out of the process with every wait at its longest, and
     ten seconds for the last records and the database. */}}
{{- define "turnpike.terminationGrace" -}}
{{- add .Values.preStopSeconds .Values.config.server.shutdown_grace_secs 15 -}}
{{- end -}}

{{- define "turnpike.scheme" -}}
{{- ternary "HTTPS" "HTTP" (not (empty .Values.config.server.tls_cert)) -}}
{{- end -}}

{{/* The port of the administration, where it has a listener of its own. */}}
{{- define "turnpike.adminPort" -}}
{{- dig "admin" "listen" "" .Values.config | splitList ":" | last -}}
{{- end -}}

{{/* What would only fail later, and worse. */}}
{{- define "turnpike.check" -}}
{{- $shared := not (empty .Values.database.existingSecret) -}}
{{- if and (not $shared) (or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1)) -}}
{{- fail "several gateways need a database that they share: set database.existingSecret, or replicaCount: 1 with persistence.enabled: true" -}}
{{- end -}}
{{- if and (not $shared) (not .Values.persistence.enabled) -}}
{{- fail "the embedded database needs a volume: set persistence.enabled: true, or database.existingSecret" -}}
{{- end -}}
{{- $vault := eq (dig "secrets" "wrap" "local" .Values.config) "vault" -}}
{{- if and $shared (not .Values.masterKey.existingSecret) (not $vault) -}}
{{- fail "with a database the master key must be given, the same for every gateway: set masterKey.existingSecret" -}}
{{- end -}}
{{- $server := .Values.config.server -}}
{{- if gt (int $server.drain_delay_ms) (mul 1000 (int $server.shutdown_grace_secs) | int) -}}
{{- fail "config.server.drain_delay_ms is part of config.server.shutdown_grace_secs and cannot be longer" -}}
{{- end -}}
{{- end -}}

{{/* One value as TOML: strings, numbers, booleans and arrays of them are written as in JSON. */}}
{{- define "turnpike.toml" -}}
{{- range $section, $keys := . }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{- if not (and (kindIs "slice" $value) (kindIs "map" (first $value))) }}
{{ $key }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- range $key, $value := $keys }}
{{- if and (kindIs "slice" $value) (kindIs "map" (first $value)) }}
{{- range $table := $value }}

[[{{ $section }}.{{ $key }}]]
{{- range $name, $each := $table }}
{{ $name }} = {{ toJson $each }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{ end }}
{{- end -}}
