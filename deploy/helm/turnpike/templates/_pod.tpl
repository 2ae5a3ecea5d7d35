{{- define "turnpike.pod" -}}
metadata:
  labels:
    {{- include "turnpike.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Another configuration is another pod.
    checksum/config: {{ include "turnpike.toml" .Values.config | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "turnpike.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "turnpike.terminationGrace" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: turnpike
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve, --config, /etc/turnpike/turnpike.toml]
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      env:
        - name: TURNPIKE_SERVER__LISTEN
          value: 0.0.0.0:8080
        - name: TURNPIKE_METRICS__LISTEN
          value: 0.0.0.0:9090
        - name: TURNPIKE_STORAGE__DATA_DIR
          value: /var/lib/turnpike
        {{- if .Values.masterKey.existingSecret }}
        - name: TURNPIKE_SECRETS__MASTER_KEY
          value: file:/run/secrets/turnpike/master-key
        {{- end }}
        {{- with .Values.database }}
        {{- if .existingSecret }}
        - name: TURNPIKE_STORAGE__URL
          valueFrom:
            secretKeyRef:
              name: {{ .existingSecret }}
              key: {{ .key }}
        {{- end }}
        {{- end }}
        {{- with .Values.redis }}
        {{- if .existingSecret }}
        - name: TURNPIKE_REDIS__URL
          valueFrom:
            secretKeyRef:
              name: {{ .existingSecret }}
              key: {{ .key }}
        {{- end }}
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
        - name: metrics
          containerPort: 9090
        {{- with include "turnpike.adminPort" . }}
        - name: admin
          containerPort: {{ . }}
        {{- end }}
      # Migrations of a large database may take their time.
      startupProbe:
        httpGet:
          path: /healthz
          port: http
          scheme: {{ include "turnpike.scheme" . }}
        periodSeconds: 2
        failureThreshold: 90
      livenessProbe:
        httpGet:
          path: /healthz
          port: http
          scheme: {{ include "turnpike.scheme" . }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /readyz
          port: http
          scheme: {{ include "turnpike.scheme" . }}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      {{- if gt (int .Values.preStopSeconds) 0 }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ .Values.preStopSeconds }}
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: /var/lib/turnpike
        - name: config
          mountPath: /etc/turnpike
          readOnly: true
        {{- if .Values.masterKey.existingSecret }}
        - name: master-key
          mountPath: /run/secrets/turnpike
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "turnpike.fullname" . }}
    {{- if .Values.masterKey.existingSecret }}
    - name: master-key
      secret:
        secretName: {{ .Values.masterKey.existingSecret }}
        defaultMode: 0440
        items:
          - key: {{ .Values.masterKey.key }}
            path: master-key
    {{- end }}
    {{- if not .Values.persistence.enabled }}
    - name: data
      emptyDir:
        sizeLimit: {{ .Values.emptyDirSizeLimit }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- with .Values.topologySpreadConstraints }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "turnpike.selector" . | nindent 10 }}
    {{- end }}
{{- end -}}
